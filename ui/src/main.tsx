import { render } from 'preact';
import { App } from './app';
import { start } from './state';
import './style/base.css';
import './style/frame.css';
import './style/live.css';
import './style/views.css';

render(<App />, document.getElementById('app')!);
void start();
