// The frame around the views: what runs, where to go, what went wrong.
import { signal } from '@preact/signals';
import { lazy, Suspense } from './parts/lazy';
import { useEffect, useState } from 'preact/hooks';
import { api, messageOf, signedIn, type Mode } from './api';
import { commandLine, count, moment } from './model/text';
import { Help, helpOpen } from './parts/help';
import { Icon } from './parts/icon';
import { useKeys } from './parts/keys';
import { Name } from './parts/name';
import { theme, toggleTheme } from './parts/theme';
import { hasEnded, linkState, open, overview, past, refreshSession, retryMs, say, session, toast, totals, view, type View } from './state';
import { Later } from './views/later';
import { Live } from './views/live';
import { NetworkView } from './views/network';
import { ProcessesView } from './views/processes';
import { Sessions } from './views/sessions';

// The editor is half of the page's weight, and not needed to see what happens.
const PolicyView = lazy(() => import('./views/policy').then((m) => m.PolicyView));

const NAMES: [View, string, boolean][] = [
  ['live', 'Live', true],
  ['processes', 'Processes', true],
  ['network', 'Network', true],
  ['policy', 'Policy', true],
  ['sessions', 'Sessions', true],
  ['mcp', 'MCP', false],
  ['approvals', 'Approvals', false],
  ['files', 'Files', false],
];

export function App() {
  useKeys();
  if (signedIn.value === null) return <div class="gate" aria-busy="true" />;
  if (!signedIn.value) return <NoToken />;
  return (
    <div class="app">
      <Top />
      <Nav />
      <main id="main">
        <Banner />
        <Main />
      </main>
      <Toast />
      {helpOpen.value ? <Help /> : null}
    </div>
  );
}

function Main() {
  switch (view.value) {
    case 'live':
      return <Live />;
    case 'processes':
      return <ProcessesView />;
    case 'network':
      return <NetworkView />;
    case 'policy':
      return <Suspense what={PolicyView} />;
    case 'sessions':
      return <Sessions />;
    default:
      return <Later which={view.value} />;
  }
}

function NoToken() {
  const known = session.value !== null;
  return (
    <main class="gate">
      <div>
        <h1>
          <Icon name="policy" />
          leash
        </h1>
        <p>
          {known
            ? 'leash does not know this browser any more: the session it watched has probably ended, or another one runs in its place.'
            : 'This page shows what an agent does, to the one who started it. It opens with the link that leash printed when the session began; the link carries a key.'}
        </p>
        <p>
          Run <code>leash ui</code> in a terminal to open it, or copy the link from where leash was started.
        </p>
      </div>
    </main>
  );
}

function Nav() {
  return (
    <nav aria-label="Views">
      {NAMES.map(([id, name, isHere]) => (
        <a
          key={id}
          href={`#/${id}`}
          class={isHere ? '' : 'later'}
          {...(view.value === id ? { 'aria-current': 'page' as const } : {})}
          aria-label={name}
          title={isHere ? name : `${name}: not in this version`}
        >
          <Icon name={id} />
          <span>{name}</span>
        </a>
      ))}
    </nav>
  );
}

function Top() {
  const s = session.value;
  const { events, denied, wouldDeny: would, lost } = totals.value;
  return (
    <header class="top">
      <span class="brand">leash</span>
      <span class={`pulse is-${hasEnded.value ? 'ended' : linkState.value}`} role="status">
        {stateWord()}
      </span>
      <span class="command mono" title={s ? commandLine(s.command) : ''}>
        {s ? <Name text={commandLine(s.command)} /> : null}
      </span>
      <span class="counters">
        <span>
          <b>{count(events)}</b> events
        </span>
        <span class={denied ? 'is-deny' : ''}>
          <b>{count(denied)}</b> stopped
        </span>
        {would ? (
          <span class="is-warn">
            <b>{count(would)}</b> would be
          </span>
        ) : null}
        {lost ? (
          <span class="is-lost" role="alert" title="Events that leash could not keep, or that this page was not sent">
            <b>{count(lost)}</b> lost
          </span>
        ) : null}
      </span>
      <ModeMenu />
      <button type="button" class="quiet" aria-label={theme.value === 'dark' ? 'Light theme' : 'Dark theme'} title="Theme (t)" onClick={toggleTheme}>
        <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} />
      </button>
      <button type="button" class="quiet" aria-label="Help" title="Keys (?)" onClick={() => (helpOpen.value = true)}>
        <Icon name="help" />
      </button>
    </header>
  );
}

function stateWord(): string {
  if (hasEnded.value) return 'ended';
  switch (linkState.value) {
    case 'live':
      return 'live';
    case 'history':
      return 'loading';
    case 'waiting':
      return 'no connection';
    default:
      return 'connecting';
  }
}

const MODES: Record<Mode, string> = {
  enforce: 'What the policy denies does not happen.',
  shadow: 'All is allowed; the log says what would have been denied.',
  record: 'All is allowed and recorded.',
};

// Asked twice where protection would end.
const asked = signal<Mode | null>(null);

function ModeMenu() {
  const mode = session.value?.mode;
  if (!mode) return null;
  const set = async (to: Mode) => {
    asked.value = null;
    try {
      const done = await api.mode(to);
      say(`Mode ${done.mode}, generation ${done.generation}, after ${done.milliseconds.toFixed(1)} ms.`);
      await refreshSession();
    } catch (e) {
      say(messageOf(e), true);
    }
  };
  return (
    <span class="mode">
      <label>
        <span class="hidden-label">Mode</span>
        <select
          class={`mode-${mode}`}
          value={mode}
          title={MODES[mode]}
          onChange={(e) => {
            const to = e.currentTarget.value as Mode;
            e.currentTarget.value = mode;
            if (mode === 'enforce' && to !== 'enforce') asked.value = to;
            else void set(to);
          }}
        >
          {(Object.keys(MODES) as Mode[]).map((m) => (
            <option key={m} value={m}>
              {m}
            </option>
          ))}
        </select>
      </label>
      {asked.value ? (
        <span class="popover" role="alertdialog" aria-label="Change the mode">
          <p>
            {asked.value}: {MODES[asked.value]} Nothing but leash’s own rules would be enforced.
          </p>
          <button type="button" class="forbid" onClick={() => void set(asked.value!)}>
            Switch to {asked.value}
          </button>
          <button type="button" onClick={() => (asked.value = null)}>
            Stay
          </button>
        </span>
      ) : null}
    </span>
  );
}

function Banner() {
  const o = overview.value;
  const [, tick] = useState(0);
  const waits = linkState.value === 'waiting' && !hasEnded.value;
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [waits]);
  const before = past.value;
  if (before)
    return (
      <p class="banner past">
        <span>
          An earlier session, {moment(before.started)}: <Name text={commandLine(before.command)} />
        </span>
        <button type="button" onClick={() => void open(null)}>
          Back to this session
        </button>
      </p>
    );
  if (hasEnded.value)
    return (
      <p class="banner">
        The session has ended{o.status === null ? '' : `, status ${o.status}`}. What is loaded stays here until you close the page.
      </p>
    );
  if (waits && retryMs.value >= 500)
    return <p class="banner bad">leash does not answer. The page tries again and goes on where it stopped.</p>;
  if (o.missed) return <p class="banner bad">{count(o.missed)} events did not reach this page. `leash events` has them.</p>;
  return null;
}

function Toast() {
  const t = toast.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {t ? (
        <p class={t.bad ? 'bad' : ''}>
          <Name text={t.text} />
        </p>
      ) : null}
    </div>
  );
}
