// An SMSC over the npm package "smpp". Its one argument is JSON:
//   ids       "same", "hex response", "hex receipt", "padded": how response and receipt write the number of a message
//   receipt   "text", "seconds", "tlv", "payload", "unmarked": the form of its receipts
//   when      "after" or "before" the response, or "with bind": one receipt in the segment of the bind's response too
// Says what happens in lines of JSON: the port first, then each submit, and each status a deliver_sm was answered with.
const smpp = require("smpp");

const form = JSON.parse(process.argv[2]);
const say = (what) => console.log(JSON.stringify(what));
let last = 4_000_000_000;

const idOfResponse = (number) => (form.ids === "hex response" ? number.toString(16).toUpperCase() : String(number));
const idOfReceipt = (number) => {
  if (form.ids === "hex receipt") return number.toString(16);
  return form.ids === "padded" ? String(number).padStart(14, "0") : String(number);
};

function receipt(id, submit) {
  const fields = {
    source_addr: submit.destination_addr,
    destination_addr: submit.source_addr,
    esm_class: form.receipt === "unmarked" ? 0 : 4,
  };
  const dates = "submit date:2611281630 done date:2611281631";
  const usual = `id:${id} sub:001 dlvrd:001 ${dates} stat:DELIVRD err:000 text:Hello`;
  if (form.receipt === "tlv") return { ...fields, receipted_message_id: id, message_state: 2, short_message: "" };
  if (form.receipt === "payload") return { ...fields, short_message: "", message_payload: { message: usual } };
  if (form.receipt === "seconds")
    return {
      ...fields,
      short_message: `ID:${id} Sub:001 Dlvrd:001 Submit Date:261128163000 Done Date:261128163101 Stat:delivrd Err:000 Text:stat:UNDELIV`,
    };
  return { ...fields, short_message: usual };
}

const server = smpp.createServer((session) => {
  session.on("error", () => {});
  const deliver = (fields) => session.deliver_sm(fields, (answer) => say({ answered: answer.command_status }));
  const bind = (pdu) => {
    if (pdu.password !== "secret") {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    session.send(pdu.response({ system_id: "npm" }));
    if (form.when === "with bind") deliver(receipt("early", { destination_addr: "4917960", source_addr: "HELIOGRAPH" }));
  };
  for (const kind of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) session.on(kind, bind);
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => {
    const number = ++last;
    const text = (pdu.message_payload || pdu.short_message).message;
    say({ receiver: pdu.destination_addr, sender: pdu.source_addr, text, registered: pdu.registered_delivery });
    const answer = () => session.send(pdu.response({ message_id: idOfResponse(number) }));
    const report = () => pdu.registered_delivery && deliver(receipt(idOfReceipt(number), pdu));
    if (form.when === "before") {
      report();
      setTimeout(answer, 20);
    } else {
      answer();
      setTimeout(report, 5);
    }
  });
});
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
