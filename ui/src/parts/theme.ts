// Light or dark: the system's choice until the user makes one.
import { effect, signal } from '@preact/signals';

export type Theme = 'light' | 'dark';
const KEY = 'leash-theme';

const system = matchMedia('(prefers-color-scheme: light)');

function remembered(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    return null;
  }
}

export const theme = signal<Theme>(remembered() ?? (system.matches ? 'light' : 'dark'));

system.addEventListener('change', () => {
  if (!remembered()) theme.value = system.matches ? 'light' : 'dark';
});

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function toggleTheme(): void {
  theme.value = theme.value === 'light' ? 'dark' : 'light';
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // Not remembered, then.
  }
}
