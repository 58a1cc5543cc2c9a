// The policies that decided, and what of them came true.
import type { Explanation, Reason } from '../api';
import { plural } from '../model/text';
import { Cedar } from './cedar';
import { Name } from './name';

const SHOWN = 12;

export function Reasons({ answer }: { answer: Explanation }) {
  const almost = answer.decision === 'deny' && !answer.reasons.length ? answer.almost.slice(0, SHOWN) : [];
  return (
    <>
      {answer.reasons.slice(0, SHOWN).map((r) => (
        <ReasonLine key={r.policy} reason={r} open={answer.reasons.length === 1} />
      ))}
      {almost.length ? (
        <details class="almost">
          <summary>{plural(almost.length, 'permit')} would, but for their conditions</summary>
          {almost.map((r) => (
            <ReasonLine key={r.policy} reason={r} open={false} />
          ))}
        </details>
      ) : null}
    </>
  );
}

function ReasonLine({ reason: r, open }: { reason: Reason; open: boolean }) {
  return (
    <details open={open}>
      <summary>
        <span class={`effect effect-${r.effect}`}>{r.effect}</span> <Name text={r.policy} />
      </summary>
      <Cedar text={r.text} />
      {r.conditions.length ? (
        <ul class="conditions">
          {r.conditions.map((c, i) => (
            <li key={i}>
              <code>
                <Name text={c.text} />
              </code>{' '}
              <span class="muted">{c.result}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </details>
  );
}
