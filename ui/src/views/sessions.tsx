// The session that this page belongs to, and those that were recorded before.
import { useEffect, useState } from 'preact/hooks';
import { api, messageOf, type Recorded } from '../api';
import { commandLine, count, duration, moment } from '../model/text';
import { Name } from '../parts/name';
import { hasEnded, open, overview, past, say, session, totals } from '../state';

export function Sessions() {
  const s = session.value;
  const o = overview.value;
  const [sure, setSure] = useState(false);
  if (!s) return <div class="page muted">…</div>;

  const stop = async () => {
    if (!sure) {
      setSure(true);
      return;
    }
    setSure(false);
    try {
      await api.stop();
      say('The session is being stopped.');
    } catch (e) {
      say(messageOf(e), true);
    }
  };

  const running = !hasEnded.value && s.state === 'running';
  return (
    <div class="page sessions">
      <h1>This session</h1>
      <dl class="facts wide">
        <dt>command</dt>
        <dd class="mono">
          <Name text={commandLine(s.command)} />
        </dd>
        <dt>state</dt>
        <dd>{running ? `running for ${duration(Date.now() - Date.parse(s.started))}` : hasEnded.value ? `ended${o.status === null ? '' : `, status ${o.status}`}` : s.state}</dd>
        <dt>id</dt>
        <dd class="mono">{s.id}</dd>
        <dt>agent</dt>
        <dd class="mono">
          Agent::"<Name text={s.agent} />"
        </dd>
        <dt>workspace</dt>
        <dd class="mono">
          <Name text={s.workspace} />
        </dd>
        <dt>policy</dt>
        <dd>
          {s.policy_file ? <Name text={s.policy_file} /> : `profile ${s.profile}`}, {count(s.policies)} policies, generation{' '}
          {s.generation}
        </dd>
        <dt>mode</dt>
        <dd>{s.mode}</dd>
        <dt>enforced by</dt>
        <dd>
          {s.runtime}: {s.backend}
        </dd>
        <dt>recorded</dt>
        <dd>
          {count(totals.value.events)} events, {count(totals.value.denied)} denied, {count(totals.value.lost)} lost
        </dd>
        <dt>leash</dt>
        <dd>{s.version}</dd>
      </dl>
      {running ? (
        <p>
          <button type="button" class={sure ? 'forbid' : ''} onClick={() => void stop()} onBlur={() => setSure(false)}>
            {sure ? 'Really stop it' : 'Stop the session'}
          </button>
        </p>
      ) : null}
      <h2>Earlier sessions</h2>
      <Earlier />
    </div>
  );
}

function Earlier() {
  const [all, setAll] = useState<Recorded[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [state, setState] = useState('…');
  const more = async (before?: string) => {
    try {
      const page = await api.sessions(before);
      setAll((old) => [...(before ? old : []), ...page.sessions.filter((s) => !s.current)]);
      setNext(page.next);
      setState('None is recorded.');
    } catch (e) {
      setState(messageOf(e));
    }
  };
  useEffect(() => void more(), []);

  if (all.length === 0) return <p class="muted">{state}</p>;
  return (
    <>
      <table class="plain-table choosable earlier">
        <thead>
          <tr>
            <th>began</th>
            <th>command</th>
            <th>state</th>
            <th class="num">events</th>
            <th class="num">stopped</th>
            <th>workspace</th>
          </tr>
        </thead>
        <tbody>
          {all.map((s) => (
            <tr key={s.id} class={s.id === past.value?.id ? 'is-selected' : ''} onClick={() => void open(s)}>
              <td>
                <button type="button" class="link" title={s.id}>
                  {moment(s.started)}
                </button>
              </td>
              <td class="mono command">
                <Name text={commandLine(s.command)} />
                {s.command_cut ? ' …' : ''}
              </td>
              <td>{s.status ? `${s.state}, ${s.status}` : s.state}</td>
              <td class="num">{count(s.events)}</td>
              <td class="num denied">{s.denied ? count(s.denied) : ''}</td>
              <td class="mono">
                <Name text={s.workspace ?? ''} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {next ? (
        <button type="button" onClick={() => void more(next)}>
          Older ones
        </button>
      ) : null}
      <p class="muted">
        <code>leash verify ID</code> checks that nobody changed the record of one.
      </p>
    </>
  );
}
