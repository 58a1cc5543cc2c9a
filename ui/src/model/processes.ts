// Who runs, who started whom, and what each did.
import { isStopped, type LeashEvent } from './event';
import { commandLine } from './text';

export interface Process {
  pid: number;
  ppid: number;
  exe: string;
  comm: string;
  argv: string[];
  cwd: string;
  first: number;
  last: number;
  events: number;
  denied: number;
  exited: boolean;
  /** How it ended, where that is known. */
  status: number | undefined;
}

// As /api/processes has it: knows those of records that are not here any more.
export interface KnownProcess {
  pid: number;
  ppid: number;
  exe?: string;
  comm?: string;
  cwd?: string;
  first_seq: number;
  last_seq: number;
  events: number;
  denied: number;
  would_deny: number;
}

const MOST = 20_000;

export class Processes {
  private readonly byPid = new Map<number, Process>();

  add(e: LeashEvent): void {
    if (e.pid === undefined || e.kind.startsWith('session.')) return;
    const p = this.get(e.pid, e.seq);
    if (!p) return;
    p.last = e.seq;
    p.events++;
    if (isStopped(e.kind, e.decision)) p.denied++;
    if (e.ppid) p.ppid = e.ppid;
    if (e.exe) p.exe = e.exe;
    if (e.comm) p.comm = e.comm;
    if (e.cwd) p.cwd = e.cwd;
    if (e.kind === 'proc.exit') {
      p.exited = true;
      p.status = e.status;
    }
    if (e.kind === 'proc.exec' && e.decision !== 'deny') {
      // The event's exe is still who calls; from here on the process is what it became.
      p.argv = e.argv ?? [];
      if (e.path) p.exe = e.path;
      p.exited = false;
      p.status = undefined;
    }
  }

  merge(known: KnownProcess[]): void {
    for (const k of known) {
      // leash itself, of which only the session's beginning is told.
      if (!k.exe && !k.comm && !k.ppid) continue;
      const p = this.get(k.pid, k.first_seq);
      if (!p) return;
      p.ppid ||= k.ppid;
      p.exe ||= k.exe ?? '';
      p.comm ||= k.comm ?? '';
      p.cwd ||= k.cwd ?? '';
      p.first = Math.min(p.first, k.first_seq);
      p.last = Math.max(p.last, k.last_seq);
      p.events = Math.max(p.events, k.events);
      p.denied = Math.max(p.denied, k.denied + k.would_deny);
    }
  }

  all(): Process[] {
    return [...this.byPid.values()];
  }

  // From the process up to the agent.
  lineage(pid: number): Process[] {
    const out: Process[] = [];
    for (let p = this.byPid.get(pid); p && out.length < 64 && !out.includes(p); p = this.byPid.get(p.ppid)) out.push(p);
    return out;
  }

  // The process and all below it.
  below(pid: number): Set<number> {
    const out = new Set([pid]);
    let grew = true;
    while (grew) {
      grew = false;
      for (const p of this.byPid.values()) {
        if (!out.has(p.pid) && out.has(p.ppid)) {
          out.add(p.pid);
          grew = true;
        }
      }
    }
    return out;
  }

  private get(pid: number, seq: number): Process | undefined {
    let p = this.byPid.get(pid);
    if (!p && this.byPid.size < MOST) {
      p = { pid, ppid: 0, exe: '', comm: '', argv: [], cwd: '', first: seq, last: seq, events: 0, denied: 0, exited: false, status: undefined };
      this.byPid.set(pid, p);
    }
    return p;
  }
}

export function titleOf(p: Process): string {
  return p.argv.length ? commandLine(p.argv) : p.exe || p.comm || '?';
}

export interface Branch {
  process: Process;
  depth: number;
  children: number;
}

// The processes as lines of a tree, children below their parents in the order in which they came.
export function treeOf(all: Process[], closed: ReadonlySet<number>): Branch[] {
  const pids = new Set(all.map((p) => p.pid));
  const children = new Map<number, Process[]>();
  for (const p of all) {
    const parent = pids.has(p.ppid) && p.ppid !== p.pid ? p.ppid : 0;
    const list = children.get(parent);
    if (list) list.push(p);
    else children.set(parent, [p]);
  }
  for (const list of children.values()) list.sort((a, b) => a.first - b.first);

  const out: Branch[] = [];
  const stack: [Process, number][] = [...(children.get(0) ?? [])].reverse().map((p) => [p, 0]);
  const done = new Set<number>();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [process, depth] = next;
    if (done.has(process.pid)) continue;
    done.add(process.pid);
    const below = children.get(process.pid) ?? [];
    out.push({ process, depth, children: below.length });
    if (!closed.has(process.pid)) for (const c of [...below].reverse()) stack.push([c, depth + 1]);
  }
  return out;
}
