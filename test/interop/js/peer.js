// A device that is @xmpp/client, with its traffic as evidence, and waits that end with a deadline.
import { execFileSync } from "node:child_process";
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

export { xml };
globalThis.WebSocket = WebSocket; // which Node 20 lacks, and whose connection can be cut
export const env = process.env;
export const services = {
  starttls: `xmpp://${env.XMPP_HOST}:${env.XMPP_PORT}`,
  tls: `xmpps://${env.XMPP_DOMAIN}:${env.XMPP_TLS_PORT}`,
  websocket: env.XMPP_WS,
};
const DEADLINE = 60_000; // milliseconds for any one answer; never waited for in full unless something is wrong
let serial = 0;

/** Makes an account that no earlier run used and returns its name. */
export function addAccount(name) {
  const username = `${name}-js-${process.pid}-${++serial}`;
  const [command, ...args] = env.XMPP_ADD_ACCOUNT.split(" ");
  execFileSync(command, [...args, username, env.XMPP_PASSWORD], { stdio: "ignore", timeout: 60_000 });
  return username;
}

export class Peer {
  constructor(t, username, service, options = {}) {
    this.wire = [];
    this.messages = [];
    this.xmpp = client({
      service: services[service],
      domain: env.XMPP_DOMAIN,
      username,
      password: env.XMPP_PASSWORD,
      ...options,
    });
    this.xmpp.reconnect.delay = 50;
    this.xmpp.on("element", (element) => this.wire.push(`< ${element}`));
    this.xmpp.on("send", (element) => this.wire.push(`> ${element}`));
    this.xmpp.on("stanza", (stanza) => stanza.is("message") && this.messages.push(stanza));
    this.xmpp.on("error", (error) => this.wire.push(`! ${error}`));
    t.after(() => this.stop());
  }

  /** Logs in and becomes available. */
  async start() {
    this.jid = await this.within("a session", this.xmpp.start());
    await this.xmpp.send(xml("presence"));
    return this;
  }

  async stop() {
    this.xmpp.reconnect.stop();
    if (this.xmpp.status !== "offline") await this.xmpp.stop().catch((error) => this.wire.push(`! ${error}`));
  }

  say(to, body) {
    return this.xmpp.send(xml("message", { to: to.toString(), type: "chat", id: `m${++serial}` }, xml("body", {}, body)));
  }

  texts() {
    return this.messages.map((m) => m.getChildText("body")).filter((text) => text !== null);
  }

  /** Cuts the connection without a word. */
  cut() {
    const { socket } = this.xmpp.socket;
    if (socket.terminate) socket.terminate();
    else (socket.destroy ? socket : this.xmpp.socket).destroy();
  }

  /** Waits until question() holds; it is asked again after everything that comes. */
  until(what, question) {
    const { xmpp } = this;
    const events = ["element", "status"];
    let look;
    const waiting = new Promise((resolve, reject) => {
      look = () => {
        try {
          if (question()) resolve();
        } catch (error) {
          reject(error);
        }
      };
      for (const event of events) xmpp.on(event, look);
      look();
    });
    return this.within(what, waiting).finally(() => events.forEach((event) => xmpp.off(event, look)));
  }

  within(what, promise) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.xmpp.jid} still waits for ${what}\n${this.evidence()}`)), DEADLINE);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  evidence() {
    return `last traffic of ${this.xmpp.jid}:\n${this.wire.slice(-25).join("\n")}`;
  }

  sent(pattern) {
    return this.wire.some((line) => line.startsWith(">") && pattern.test(line));
  }

  received(pattern) {
    return this.wire.some((line) => line.startsWith("<") && pattern.test(line));
  }
}
