// A client over the npm package "smpp": submits to each receiver, and says ids and receipts in one line of JSON.
// Usage: npm_esme.js PORT RECEIVER...
const smpp = require("smpp");

const [port, ...receivers] = process.argv.slice(2);
const said = { ids: [], receipts: [] };
const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` });

function finish() {
  if (said.ids.length < receivers.length || said.receipts.length < receivers.length) return;
  session.unbind(() => session.close(() => console.log(JSON.stringify(said))));
}

session.on("connect", () => {
  session.bind_transceiver({ system_id: "me", password: "secret" }, (answer) => {
    if (answer.command_status) throw new Error(`bind refused: ${answer.command_status}`);
    for (const receiver of receivers) {
      const message = { source_addr: "HELIO", destination_addr: receiver, short_message: "Hello", registered_delivery: 1 };
      session.submit_sm(message, (response) => {
        said.ids.push(response.message_id);
        finish();
      });
    }
  });
});

session.on("deliver_sm", (pdu) => {
  session.send(pdu.response(), undefined, () => {
    said.receipts.push(pdu.short_message.message);
    finish();
  });
});
