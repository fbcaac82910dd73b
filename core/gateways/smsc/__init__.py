"""An SMSC to rehearse with: the simulator's brain behind a real SMPP 3.4 listener. Begin with `smsc.py`."""
