import type { LeashEvent } from '../src/model/event';
export function makeEvents(n: number, options?: { hostile?: boolean }): LeashEvent[];
