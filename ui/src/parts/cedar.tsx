// Cedar to be read, in colours.
import { tokensOf } from '../cedar/tokens';
import { Name } from './name';

export function Cedar({ text }: { text: string }) {
  return (
    <pre class="cedar" tabIndex={0}>
      {text
        .trimEnd()
        .split('\n')
        .map((line, i) => (
          <>
            {i ? '\n' : ''}
            {tokensOf(line).map((t) =>
              t.kind === 'plain' ? (
                <Name text={t.text} />
              ) : (
                <span class={`t-${t.kind}`}>
                  <Name text={t.text} />
                </span>
              ),
            )}
          </>
        ))}
    </pre>
  );
}
