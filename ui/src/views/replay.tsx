// What was done, under the editor's text: what would have been decided otherwise?
import { api, type Replay as Replayed } from '../api';
import { count, plural } from '../model/text';
import { useAttempt } from '../parts/attempt';
import { Name } from '../parts/name';
import { Seq } from '../parts/seq';
import { past } from '../state';

// draft: the editor's text, where it is not what is in force.
export function Replay({ draft }: { draft: string | null }) {
  const earlier = past.value?.id;
  const { found, error, busy, run } = useAttempt(() => api.replay(draft, earlier));
  return (
    <>
      <p class="muted">
        The operations of {earlier ? 'the earlier session that is open' : 'this session'} are decided again, under{' '}
        {draft === null ? 'what is in force' : 'the text in the editor'}. Nothing is done again, and nothing is applied.
      </p>
      <div class="choice">
        <button type="button" class={found ? '' : 'primary'} disabled={busy} onClick={run}>
          {found ? 'Replay again' : 'Replay'}
        </button>
      </div>
      {error ? (
        <p class="error" role="alert">
          <Name text={error} />
        </p>
      ) : null}
      {found && !error ? <Found found={found} /> : null}
    </>
  );
}

function Found({ found }: { found: Replayed }) {
  return (
    <>
      <h3>
        {found.changed
          ? `${plural(found.changed, 'operation')} of ${count(found.decided)} would be decided otherwise`
          : `None of ${count(found.decided)} operations would be decided otherwise`}
      </h3>
      <ol class="suggested">
        {found.changes.map((c) => (
          <li key={`${c.kind} ${c.before} ${c.after} ${c.access ?? ''} ${c.object}`}>
            <div>
              <span class={`verdict-${c.after}`}>
                {c.before} → {c.after}
              </span>{' '}
              <span class="muted">{c.kind}</span>{' '}
              <span class="mono">
                <Name text={c.object} />
              </span>
            </div>
            <div class="muted">
              {plural(c.count, 'time')}, as in <Seq seq={c.seq} />
              {c.program ? (
                <>
                  {' '}
                  by <Name text={c.program.slice(c.program.lastIndexOf('/') + 1)} />
                </>
              ) : null}
              , by <Name text={c.reasons} />
            </div>
          </li>
        ))}
      </ol>
      {found.left_out ? <p class="muted">… and {plural(found.left_out, 'operation')} more</p> : null}
    </>
  );
}
