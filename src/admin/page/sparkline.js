/* The rate over the last minutes as a small line; it is followed from the start of the page, whatever is shown. */

import { svg } from './dom.js';
import { listen } from './live.js';

const WIDTH = 160, HEIGHT = 36, MOST = 120;

const rates = [];

listen('pulse', ({ total }) => {
    rates.push(total.rate);
    if (rates.length > MOST)
        rates.shift();
});

export function makeSparkline(label) {
    const line = svg('polyline'), area = svg('polygon');
    const element = svg('svg', { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, area, line);

    return {
        element,
        draw() {
            const top = Math.max(1, ...rates), step = WIDTH / Math.max(30, rates.length - 1);
            const points = rates.map((rate, i) =>
                `${(i * step).toFixed(1)},${(HEIGHT - 2 - rate / top * (HEIGHT - 4)).toFixed(1)}`);

            if (points.length < 2)
                return;
            line.setAttribute('points', points.join(' '));
            area.setAttribute('points', `0,${HEIGHT} ${points.join(' ')} ${points.at(-1).split(',')[0]},${HEIGHT}`);
        },
    };
}
