// Hands one message in with nodemailer: node send.js '{"transport": {...}, "mail": {...}}'; prints the server's reply.
// A transport as nodemailer's createTransport takes it, and a mail as its sendMail does.
const path = require("path");
const nodemailer = require(path.join(process.env.MAIL_CLIENTS, "node/node_modules/nodemailer"));

const { transport, mail } = JSON.parse(process.argv[2]);
nodemailer
  .createTransport(transport)
  .sendMail(mail)
  .then((info) => console.log(info.response))
  .catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
