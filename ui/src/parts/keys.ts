// The keys of the whole page. Those of a list or an editor are theirs.
import { useEffect } from 'preact/hooks';
import { drawerOpen, go, paused, selected, view, type View } from '../state';
import { toggleDenied } from '../views/live';
import { closeDrawer } from './drawer';
import { following, step } from './events';
import { helpOpen } from './help';
import { toggleTheme } from './theme';

const PLACES: Record<string, View> = { l: 'live', p: 'processes', n: 'network', o: 'policy', s: 'sessions', m: 'mcp', a: 'approvals', f: 'files' };
const CHORD_MS = 1200;

function isTyping(e: KeyboardEvent): boolean {
  const t = e.composedPath()[0];
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) && (t as HTMLInputElement).type !== 'checkbox');
}

const LIVE: Record<string, (e: KeyboardEvent) => void> = {
  j: () => void step(1),
  k: () => void step(-1),
  ArrowDown: () => void step(1),
  ArrowUp: () => void step(-1),
  d: toggleDenied,
  p: () => (paused.value = !paused.value),
  G: () => {
    paused.value = false;
    following.value = true;
  },
  Enter: () => {
    if (selected.value) drawerOpen.value = true;
  },
  '/': (e) => {
    e.preventDefault();
    document.getElementById('search')?.focus();
  },
};

export function useKeys(): void {
  useEffect(() => {
    let chord = 0;
    const pressed = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === 'Escape') {
        escape(e);
        return;
      }
      if (isTyping(e) || helpOpen.value) return;
      if (performance.now() - chord < CHORD_MS && PLACES[e.key]) {
        chord = 0;
        e.preventDefault();
        go(PLACES[e.key]!);
        return;
      }
      chord = e.key === 'g' ? performance.now() : 0;
      if (e.key === '?') helpOpen.value = true;
      else if (e.key === 't') toggleTheme();
      else if (view.value === 'live') live(e);
      else if (e.key === '/') {
        const search = document.querySelector<HTMLInputElement>('main input[type=search]');
        if (search) {
          e.preventDefault();
          search.focus();
        }
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

function live(e: KeyboardEvent): void {
  const target = e.target as HTMLElement;
  const onControl = target.closest('button, a, summary, .drawer-body') !== null;
  // A control has its own Enter and arrows.
  if (onControl && (e.key === 'Enter' || e.key.startsWith('Arrow'))) return;
  const run = LIVE[e.key];
  if (!run) return;
  if (e.key.startsWith('Arrow')) e.preventDefault();
  run(e);
}

function escape(e: KeyboardEvent): void {
  if (helpOpen.value) helpOpen.value = false;
  else if (isTyping(e)) {
    // Leaves the field; Chromium would empty it, and tell nobody.
    e.preventDefault();
    (e.composedPath()[0] as HTMLElement).blur();
  }
  else if (drawerOpen.value) closeDrawer();
  else selected.value = 0;
}
