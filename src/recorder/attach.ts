import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { isAlive, openSocketFolder, socketOf } from "./attach-socket.ts";
import type { AttachAnswer, AttachRequest } from "./attach-socket.ts";
import { start } from "./session.ts";
import { slot } from "./slot.ts";

/** Characters of a request. */
const MOST_REQUEST = 64 * 1024;

/**
 * Lets `runtrace attach` record this process, from now on to its end; it keeps no process alive. Where there can be no
 * such socket, nobody is told: an attempt to attach says so.
 */
export function listenForAttach(): void {
  const opened = openSocketFolder(true);
  if ("why" in opened) return;
  const name = socketOf(opened.folder, process.pid);
  if (name === undefined) return;
  try {
    sweep(opened.folder);
    const server = net.createServer({ allowHalfOpen: true }, serve);
    server.on("error", () => {});
    // Of a cluster each process has its own.
    server.listen({ path: name, exclusive: true });
    server.unref();
  } catch {
    // The program runs all the same.
  }
}

/** Takes away the sockets of processes that are gone, of this one's forerunner with the same pid above all. */
function sweep(folder: string): void {
  for (const file of fs.readdirSync(folder)) {
    const pid = Number(/^(\d+)\.sock$/.exec(file)?.[1] ?? 0);
    if (pid > 0 && (pid === process.pid || !isAlive(pid)))
      fs.rmSync(path.join(folder, file), { force: true });
  }
}

/** One client: its request, and then its silence for as long as it wants to record. */
function serve(socket: net.Socket): void {
  socket.unref();
  let text = "";
  let isAsked = false;
  socket.setEncoding("utf8");
  socket.on("error", () => {});
  socket.on("data", (chunk: string) => {
    if (isAsked) return;
    text += chunk;
    const end = text.indexOf("\n");
    if (end < 0 && text.length <= MOST_REQUEST) return;
    isAsked = true;
    record(socket, text.slice(0, end));
  });
  socket.on("end", () => {
    if (!isAsked) socket.end();
  });
}

function record(socket: net.Socket, line: string): void {
  const say = (answer: AttachAnswer): void => void socket.write(`${JSON.stringify(answer)}\n`);
  try {
    const { out, options } = JSON.parse(line) as AttachRequest;
    start(String(out), options);
  } catch (error) {
    say({ error: (error as Error).message });
    socket.end();
    return;
  }
  // Whatever else is started and stopped meanwhile, this one is ours.
  const { recording } = slot();
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    recording!
      .stop()
      .then(
        () => say({ ended: true }),
        (error: unknown) => say({ error: (error as Error).message }),
      )
      .finally(() => socket.end());
  };
  say({ recording: true });
  socket.on("end", finish);
  socket.on("close", finish);
}
