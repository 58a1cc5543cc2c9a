// Views whose time comes: a line about what they will hold, and nothing made up.
import type { View } from '../state';

const WORDS: Partial<Record<View, [string, string]>> = {
  mcp: ['MCP', 'Servers, their tools with pins and schemas, and each call with its arguments and result will be here.'],
  approvals: ['Approvals', 'Questions that no policy decides will wait here for your answer: once, for this session, always, or no.'],
  files: ['Files', 'What the agent changed will be here as differences, to keep or to undo.'],
};

export function Later({ which }: { which: View }) {
  const [title, text] = WORDS[which] ?? ['', ''];
  return (
    <div class="page">
      <h1>{title}</h1>
      <p class="muted">Not in this version. {text}</p>
    </div>
  );
}
