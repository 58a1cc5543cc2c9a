// Line drawings on a grid of 16, drawn with the colour of the text beside them.
const PATHS: Record<string, string> = {
  live: 'M1 8h3l2-5 4 10 2-5h3',
  processes: 'M3 3h4v3H3zM9 10h4v3H9zM5 6v5.5h4',
  network: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c2 2 2.5 4 2.5 6S10 12 8 14c-2-2-2.5-4-2.5-6S6 4 8 2z',
  policy: 'M8 1.5l5.5 2v4c0 3.5-2.3 5.8-5.5 7-3.200-1.200-5.500-3.500-5.500-7v-4zM5.500 8l2 2 3.200-3.500',
  sessions: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.500V8l2.500 1.500',
  mcp: 'M6 2v3M10 2v3M4 5h8v3a4 4 0 0 1-8 0zM8 12v2.500',
  approvals: 'M2 3h12v8H8l-3 3v-3H2zM6 6.500h4',
  files: 'M4 1.500h5l3 3v10H4zM9 1.500v3h3M6 8h4M6 11h4',
  file: 'M4 1.500h5l3 3v10H4zM9 1.500v3h3',
  proc: 'M2 3h12v10H2zM4.500 6l2 2-2 2M8.500 10h3',
  net: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c-2 2-2.500 4-2.500 6s.5 4 2.500 6',
  other: 'M8 7v4M8 4.500v.5M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13z',
  deny: 'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM3.500 3.500l9 9',
  warn: 'M8 2l6.500 12h-13zM8 6.500v3.500M8 12v.3',
  ok: 'M3 8.500l3.500 3.500 6.500-8',
  close: 'M3.500 3.500l9 9M12.500 3.500l-9 9',
  pause: 'M5 3v10M11 3v10',
  play: 'M4.500 2.500v11l9-5.500z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z',
  help: 'M5.500 5.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M8 12v.3',
  down: 'M8 3v10M4 9l4 4 4-4',
  right: 'M6 3l5 5-5 5',
  filter: 'M2 3h12l-4.500 5.500V13l-3-1.500v-3z',
};

export function Icon({ name, label }: { name: string; label?: string }) {
  return (
    <svg
      class={`icon icon-${name}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' as const })}
    >
      <path d={PATHS[name] ?? ''} />
    </svg>
  );
}
