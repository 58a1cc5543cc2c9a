// The least that would permit what was done, line by line, with the events of each.
import { api, type SuggestedLine, type Suggestion } from '../api';
import { count, plural } from '../model/text';
import { useAttempt } from '../parts/attempt';
import { Cedar } from '../parts/cedar';
import { Name } from '../parts/name';
import { Seq } from '../parts/seq';

const SHOWN_SEQS = 20;

export function Suggest({ add }: { add: (text: string) => void }) {
  const { found, error, busy, run } = useAttempt(api.suggest);
  return (
    <>
      <p class="muted">
        leash writes the least that permits what it has seen allowed in this session. Nothing is applied: lines go into the editor, where you
        can change them first.
      </p>
      <div class="choice">
        <button type="button" class={found ? '' : 'primary'} disabled={busy} onClick={run}>
          {found ? 'Look again' : 'Look at what was done'}
        </button>
        {found?.lines.length ? (
          <button type="button" onClick={() => add(found.text)}>
            Put all into the editor
          </button>
        ) : null}
      </div>
      {error ? (
        <p class="error" role="alert">
          <Name text={error} />
        </p>
      ) : null}
      {found ? (
        <>
          <h3>
            {plural(found.lines.length, 'policy', 'policies')} for {plural(found.covered, 'event')} of {count(found.looked_at)}
          </h3>
          <ol class="suggested">
            {found.lines.map((l) => (
              <Line key={l.text} line={l} add={add} />
            ))}
          </ol>
          <LeftOut found={found} />
        </>
      ) : null}
    </>
  );
}

function Events({ seqs }: { seqs: number[] }) {
  return (
    <span class="seqs">
      {seqs.slice(0, SHOWN_SEQS).map((seq) => (
        <Seq key={seq} seq={seq} />
      ))}
      {seqs.length > SHOWN_SEQS ? <span class="muted">and more</span> : null}
    </span>
  );
}

function Line({ line: l, add }: { line: SuggestedLine; add: (text: string) => void }) {
  return (
    <li>
      <p class="sentence">
        <Name text={l.sentence} />
      </p>
      <Cedar text={l.text} />
      <details>
        <summary>Covers {plural(l.events, 'event')}</summary>
        <Events seqs={l.seqs} />
      </details>
      <button type="button" class="link" onClick={() => add(l.text)}>
        put into the editor
      </button>
    </li>
  );
}

function LeftOut({ found }: { found: Suggestion }) {
  const reasons = new Map<string, number[]>();
  for (const { seq, reason } of found.left_out) reasons.set(reason, [...(reasons.get(reason) ?? []), seq]);
  if (reasons.size === 0) return null;
  return (
    <>
      <h3>Left out</h3>
      {[...reasons].map(([reason, seqs]) => (
        <details key={reason}>
          <summary>
            {plural(seqs.length, 'event')}: {reason}
          </summary>
          <Events seqs={seqs} />
        </details>
      ))}
    </>
  );
}
