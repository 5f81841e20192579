/**
 * What processes consume, read from /proc (Linux): CPU of a process and all its descendants, in nanoseconds, thread by
 * thread, and resident memory.
 *
 * The scheduler's own account (`schedstat`) counts nanoseconds but forgets a thread when it ends; the kernel's account
 * of a process (`stat`) keeps ended threads and children that were waited for, in ticks of 10 ms. The programs here
 * keep their threads, so `schedstat` is what slices are measured with; a whole run of a tool is measured with
 * `childrenCpu`, where a tick is small beside the run.
 */
import { readFileSync, readdirSync } from "node:fs";

/** Nanoseconds of CPU that the live threads of a process and its live descendants have used. */
export function treeCpu(pid) {
  let sum = 0;
  for (const one of tree(pid)) for (const { ns } of threads(one)) sum += ns;
  return sum;
}

/** The live threads of a process, in the order of their birth: id, name, nanoseconds of CPU. */
export function threads(pid) {
  const found = [];
  for (const name of list(`/proc/${pid}/task`)) {
    const ns = Number(read(`/proc/${pid}/task/${name}/schedstat`).split(" ", 1)[0]);
    if (ns > 0) found.push({ id: Number(name), name: read(`/proc/${pid}/task/${name}/comm`).trim(), ns });
  }
  return found.sort((a, b) => a.id - b.id);
}

/** A process and its live descendants. */
export function tree(pid) {
  const found = [pid];
  for (let i = 0; i < found.length; i++) {
    for (const task of list(`/proc/${found[i]}/task`)) {
      const children = read(`/proc/${found[i]}/task/${task}/children`).trim();
      if (children !== "") found.push(...children.split(" ").map(Number));
    }
  }
  return found;
}

/** Nanoseconds of CPU of the children of this process that have ended, with all that they waited for. */
export function childrenCpu() {
  // After the name, which may hold anything, in parentheses: field 3 is the state, 16 and 17 are cutime and cstime.
  const fields = read("/proc/self/stat")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 1e7;
}

/** Resident memory of a process in MB. */
export function residentMegabytes(pid) {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? Number.NaN) / 1024;
}

/** "" and [] for a thread or process that ended meanwhile. */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
