"""How the certificates of a provider's server are checked."""

import ssl

from core.errors import InvalidInput


def make_tls(certificate_authority: str) -> ssl.SSLContext:
    """
    Return how certificates are checked: by *certificate_authority* (PEM), or "" for the system's.

    Text around the blocks is passed over, in whatever language it names their owners. Raises: InvalidInput.
    """
    # ssl takes nothing but ASCII; within a block a question mark is as wrong as what it stands for.
    pem = certificate_authority.encode("ascii", "replace").decode()
    try:
        return ssl.create_default_context(cadata=pem or None)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidInput(
            "The certificate authority cannot be read.",
            hint="Paste whole PEM blocks, from BEGIN CERTIFICATE to END CERTIFICATE.",
            field="ca",
        ) from error
