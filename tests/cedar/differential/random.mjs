// A seeded generator of random numbers: a case can be made again from its seed alone.
export class Random {
	constructor(seed) {
		this.state = seed >>> 0 || 1;
	}
	// 32 random bits (mulberry32).
	next() {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let t = this.state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return (t ^ (t >>> 14)) >>> 0;
	}
	// An integer from 0 to n - 1.
	below(n) {
		return this.next() % n;
	}
	chance(percent) {
		return this.below(100) < percent;
	}
	pick(list) {
		return list[this.below(list.length)];
	}
	shuffled(list) {
		const copy = [...list];
		for (let i = copy.length - 1; i > 0; i--) {
			const j = this.below(i + 1);
			[copy[i], copy[j]] = [copy[j], copy[i]];
		}
		return copy;
	}
	some(list, percent) {
		return list.filter(() => this.chance(percent));
	}
	// Calls make from min to max times.
	times(min, max, make) {
		return Array.from({ length: min + this.below(max - min + 1) }, (_, i) => make(i));
	}
}
