/*
 * A drawing in a frame: which part of it is to be seen. Wheel, pinch, drag and keys; all through the viewBox. One finger that
 * goes up or down scrolls the page, as everywhere on it; sideways, or with a second one, it moves the drawing.
 */

import { calm, modified } from './dom.js';

const NEAREST = 2.5, GLIDE_MS = 220, STEP = 1.3, WHEEL = 0.0016;

export class PanZoom {
    /* home   () => the box that key 0 and the button show. inset   () => pixels at the right that something else covers */
    constructor(frame, drawing, whole, { home, inset, onchange }) {
        Object.assign(this, { frame, drawing, whole, home, inset, onchange });
        this.scale = 1;
        this.x = this.y = 0;
        this.pointers = new Map();
        this.glide = 0;
        frame.addEventListener('wheel', event => this.wheel(event), { passive: false });
        frame.addEventListener('pointerdown', event => this.down(event));
        frame.addEventListener('pointermove', event => this.moved(event));
        for (const kind of ['pointerup', 'pointercancel'])
            frame.addEventListener(kind, event => this.pointers.delete(event.pointerId));
        frame.addEventListener('touchmove', event => event.touches.length > 1 && event.cancelable && event.preventDefault(), { passive: false });
        frame.addEventListener('keydown', event => this.key(event));
        this.sizes = new ResizeObserver(() => this.resized());
        this.sizes.observe(frame);
    }

    get width() {
        return this.frame.clientWidth || 1;
    }

    get height() {
        return this.frame.clientHeight || 1;
    }

    /* Pixels for a unit of the drawing at which all of it can be seen. */
    get farthest() {
        return Math.min(this.width / this.whole.width, this.height / this.whole.height) * 0.9;
    }

    resized() {
        if (this.shown)
            this.fit(this.shown, { glide: false, ...this.shownHow });
        else
            this.apply();
    }

    apply() {
        const width = this.width / this.scale, height = this.height / this.scale;

        this.x = Math.max(this.whole.x - width * 0.8, Math.min(this.whole.x + this.whole.width - width * 0.2, this.x));
        this.y = Math.max(this.whole.y - height * 0.8, Math.min(this.whole.y + this.whole.height - height * 0.2, this.y));
        this.drawing.setAttribute('viewBox', `${this.x} ${this.y} ${width} ${height}`);
        this.drawing.style.setProperty('--scale', this.scale);
        this.drawing.classList.toggle('far', this.scale < 0.45);
        this.drawing.classList.toggle('farther', this.scale < 0.25);
        this.onchange?.({ x: this.x, y: this.y, width, height });
    }

    set(x, y, scale) {
        this.shown = null;
        this.scale = Math.max(this.farthest, Math.min(NEAREST, scale));
        this.x = x;
        this.y = y;
        this.apply();
    }

    scaleFor(box, margin = 24) {
        return Math.min((this.width - this.inset() - 2 * margin) / box.width, (this.height - 2 * margin) / box.height);
    }

    /* Shows the whole box, no nearer than `nearest` pixels a unit. */
    fit(box, { nearest = 1.25, glide = true, margin = 24 } = {}) {
        const scale = Math.max(this.farthest, Math.min(nearest, this.scaleFor(box, margin)));
        const x = box.x + box.width / 2 - (this.width - this.inset()) / scale / 2, y = box.y + box.height / 2 - this.height / scale / 2;

        this.go(x, y, scale, glide);
        this.shown = box;
        this.shownHow = { nearest, margin };
    }

    /* Brings a box into sight at a scale at which it can be read. */
    reveal(box) {
        const scale = Math.max(this.scale, 0.8), margin = 40 / scale;
        const width = (this.width - this.inset()) / scale, height = this.height / scale;
        const inside = scale === this.scale && box.x > this.x + margin && box.x + box.width < this.x + width - margin
            && box.y > this.y + margin && box.y + box.height < this.y + height - margin;

        if (!inside)
            this.go(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2, scale, true);
    }

    go(x, y, scale, glide) {
        cancelAnimationFrame(this.glide);
        if (!glide || calm())
            return this.set(x, y, scale);
        const from = [this.x, this.y, this.scale], to = [x, y, scale], start = performance.now();
        const frame = now => {
            const part = Math.min(1, (now - start) / GLIDE_MS), ease = 1 - (1 - part) ** 3;
            const shown = this.shown, how = this.shownHow;

            this.set(...from.map((value, i) => value + (to[i] - value) * ease));
            this.shown = shown;
            this.shownHow = how;
            if (part < 1)
                this.glide = requestAnimationFrame(frame);
        };

        this.glide = requestAnimationFrame(frame);
    }

    /* (px, py): the point of the frame that stays where it is. */
    zoom(factor, px = this.width / 2, py = this.height / 2) {
        const scale = Math.max(this.farthest, Math.min(NEAREST, this.scale * factor));

        cancelAnimationFrame(this.glide);
        this.set(this.x + px / this.scale - px / scale, this.y + py / this.scale - py / scale, scale);
    }

    pan(dx, dy) {
        cancelAnimationFrame(this.glide);
        this.set(this.x + dx / this.scale, this.y + dy / this.scale, this.scale);
    }

    centre(x, y) {
        this.set(x - this.width / this.scale / 2, y - this.height / this.scale / 2, this.scale);
    }

    place(event) {
        const at = this.frame.getBoundingClientRect();

        return { x: event.clientX - at.left, y: event.clientY - at.top };
    }

    wheel(event) {
        const { x, y } = this.place(event);

        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 6 : 1) * WHEEL * (event.deltaMode === 1 ? 20 : 1)), x, y);
    }

    down(event) {
        if (event.button !== 0 || event.target.closest('button, a, .map'))
            return;
        this.pointers.set(event.pointerId, this.place(event));
        this.travel = 0;
    }

    /* The pointer is captured once it moves, so that a click still reaches the node below. */
    moved(event) {
        const before = this.pointers.get(event.pointerId), now = this.place(event);

        if (!before)
            return;
        const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
        const upright = Math.abs(now.y - before.y) >= Math.abs(now.x - before.x), held = this.frame.hasPointerCapture(event.pointerId);

        /* The browser is about to scroll. */
        if (event.pointerType === 'touch' && !others.length && !held && upright)
            return;
        this.travel += Math.hypot(now.x - before.x, now.y - before.y);
        if (this.travel < 4)
            return;
        if (!held)
            this.frame.setPointerCapture(event.pointerId);
        this.pointers.set(event.pointerId, now);
        if (others.length === 1) {
            const far = p => Math.hypot(p.x - others[0].x, p.y - others[0].y) || 1;

            this.pan((before.x - now.x) / 2, (before.y - now.y) / 2);
            this.zoom(far(now) / far(before), (now.x + others[0].x) / 2, (now.y + others[0].y) / 2);
        } else if (!others.length)
            this.pan(before.x - now.x, before.y - now.y);
    }

    key(event) {
        const step = Math.min(this.width, this.height) / 5, own = event.target === this.frame;
        const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };

        if (modified(event))
            return;
        if (event.key === '+' || event.key === '=')
            this.zoom(STEP);
        else if (event.key === '-')
            this.zoom(1 / STEP);
        else if (event.key === '0')
            this.fit(this.home());
        else if (own && event.key in moves)
            this.pan(...moves[event.key]);
        else
            return;
        event.preventDefault();
        event.stopPropagation();
    }

    release() {
        cancelAnimationFrame(this.glide);
        this.sizes.disconnect();
    }
}

export const ZOOM_STEP = STEP;
