// Text that somebody else chose: see model/text.ts. Preact makes text nodes of it, never markup.
import { pieces } from '../model/text';

export function Name({ text }: { text: string }) {
  const parts = pieces(text);
  if (parts.length === 1 && parts[0]!.kind === 'plain') return <>{parts[0]!.text}</>;
  return (
    <>
      {parts.map((p) =>
        p.kind === 'escape' ? (
          <span class="escape">{p.text}</span>
        ) : p.kind === 'isolate' ? (
          <bdi>{p.text}</bdi>
        ) : (
          p.text
        ),
      )}
    </>
  );
}

// A path whose directory gives way where there is no room, and never the file's own name.
export function Path({ path }: { path: string }) {
  const cut = path.lastIndexOf('/') + 1;
  return (
    <span class="path">
      <span class="dir">
        <Name text={path.slice(0, cut)} />
      </span>
      <span class="base">
        <Name text={path.slice(cut)} />
      </span>
    </span>
  );
}
