/* A rate over the last minutes as a small line. */

import { svg } from './dom.js';

const WIDTH = 160, HEIGHT = 32, MOST = 120;

export function makeSparkline(label) {
    const values = [], line = svg('polyline'), area = svg('polygon');
    const element = svg('svg', { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, area, line);

    return {
        element,
        add(value) {
            values.push(value);
            if (values.length > MOST)
                values.shift();
            const top = Math.max(1, ...values);
            const points = values.map((v, i) =>
                `${(WIDTH - (values.length - 1 - i) * WIDTH / (MOST - 1)).toFixed(1)},${(HEIGHT - 2 - v / top * (HEIGHT - 4)).toFixed(1)}`);
            const first = points[0].split(',')[0];

            line.setAttribute('points', points.join(' '));
            area.setAttribute('points', `${first},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`);
        },
    };
}
