// The session that this page belongs to, and how earlier ones are found.
import { useState } from 'preact/hooks';
import { api, messageOf } from '../api';
import { commandLine, count, duration } from '../model/text';
import { Name } from '../parts/name';
import { hasEnded, overview, say, session, totals } from '../state';

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
      <p class="muted">
        They are not shown here yet. In a terminal <code>leash sessions</code> lists them, <code>leash events ID</code> shows one, and{' '}
        <code>leash verify ID</code> checks that nobody changed its record.
      </p>
    </div>
  );
}
