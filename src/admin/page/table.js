/*
 * A grid of any number of rows of which only those in sight are in the document. Rows are of one height (--row), are kept by
 * key while in sight, and are drawn once a frame.
 */

import { el, say } from './dom.js';

const OVERSCAN = 6;

export class Table {
    /*
     * columns   [{name, title, text(row), class(row), hint(row)}]
     * rows      {count(), at(index), keyOf(row)}
     * onopen    called with a row: Enter or a click
     */
    constructor({ label, columns, rows, onopen }) {
        this.columns = columns;
        this.rows = rows;
        this.onopen = onopen;
        this.shown = new Map();
        this.spare = [];
        this.selected = null;
        this.frame = 0;
        this.space = el('div', { class: 'space', role: 'rowgroup' });
        this.foot = el('div', { class: 'foot' });
        this.element = el('div', { class: 'grid', role: 'grid', tabindex: 0, 'aria-label': label, 'aria-multiselectable': 'false' },
            this.head(), this.space, this.foot);
        this.element.addEventListener('scroll', () => this.soon(), { passive: true });
        this.element.addEventListener('click', event => this.clicked(event));
        this.element.addEventListener('keydown', event => this.key(event));
        this.sizes = new ResizeObserver(() => this.measure());
        this.sizes.observe(this.element);
    }

    head() {
        const cells = this.columns.map(column =>
            el('span', { class: `cell ${column.name}`, role: 'columnheader' }, column.title));

        return el('div', { class: 'head', role: 'rowgroup' }, el('div', { class: 'line', role: 'row', 'aria-rowindex': 1 }, cells));
    }

    measure() {
        this.rowHeight = parseFloat(getComputedStyle(this.element).getPropertyValue('--row')) || 28;
        this.headHeight = this.element.firstChild.offsetHeight;
        this.soon();
    }

    soon() {
        this.frame ||= requestAnimationFrame(() => {
            this.frame = 0;
            this.draw();
        });
    }

    /* Rows were added in front of the others: a reader who has scrolled away keeps his place. */
    changed(added = 0) {
        if (added && this.element.scrollTop > 0) {
            this.sizeSpace();
            this.element.scrollTop += added * this.rowHeight;
        }
        this.soon();
    }

    sizeSpace() {
        const count = this.rows.count();

        this.space.style.height = `${count * this.rowHeight}px`;
        this.element.setAttribute('aria-rowcount', count + 1);
    }

    draw() {
        const count = this.rows.count(), top = this.element.scrollTop, height = this.element.clientHeight;
        const first = Math.max(0, Math.floor(top / this.rowHeight) - OVERSCAN);
        const last = Math.min(count, Math.ceil((top + height) / this.rowHeight) + OVERSCAN);
        const wanted = new Map();

        this.sizeSpace();
        for (let i = first; i < last; i++) {
            const row = this.rows.at(i);

            wanted.set(this.rows.keyOf(row), [row, i]);
        }
        for (const [key, line] of this.shown)
            if (!wanted.has(key)) {
                this.shown.delete(key);
                this.spare.push(line);
                line.remove();
            }
        const lines = [...wanted].map(([key, [row, i]]) => this.place(this.shown.get(key) ?? this.show(key, row), i));

        this.spare = [];
        this.order(lines);
        this.mark();
    }

    show(key, row) {
        const line = this.spare.pop() ?? this.makeLine();

        this.shown.set(key, line);
        line.id = `row-${key}`;
        line.dataset.key = key;
        this.columns.forEach((column, i) => {
            const cell = line.children[i], hint = column.hint?.(row);

            say(cell, column.text(row));
            cell.className = `cell ${column.name} ${column.class?.(row) ?? ''}`;
            if (hint)
                cell.title = hint;
            else
                cell.removeAttribute('title');
        });
        return line;
    }

    makeLine() {
        return el('div', { class: 'line', role: 'row' }, this.columns.map(() => el('span', { role: 'gridcell' })));
    }

    place(line, i) {
        line.style.transform = `translateY(${i * this.rowHeight}px)`;
        line.setAttribute('aria-rowindex', i + 2);
        return line;
    }

    /* In the document as they are seen, because that is how they are read out; what is in its place is not touched. */
    order(lines) {
        let at = this.space.firstChild;

        for (const line of lines) {
            if (line === at)
                at = at.nextSibling;
            else
                this.space.insertBefore(line, at);
        }
    }

    mark() {
        for (const [key, line] of this.shown)
            line.setAttribute('aria-selected', String(key === this.selected));
        if (this.shown.has(this.selected))
            this.element.setAttribute('aria-activedescendant', `row-${this.selected}`);
        else
            this.element.removeAttribute('aria-activedescendant');
    }

    select(key) {
        this.selected = key;
        this.mark();
    }

    indexOf(key) {
        for (let i = 0, count = this.rows.count(); i < count; i++)
            if (this.rows.keyOf(this.rows.at(i)) === key)
                return i;
        return -1;
    }

    /* Moves the selection; from nowhere, to the first row in sight. */
    move(by) {
        const count = this.rows.count(), from = this.selected === null ? -1 : this.indexOf(this.selected);
        const start = from >= 0 ? from + by : Math.ceil(this.element.scrollTop / this.rowHeight);

        return count ? this.moveTo(Math.max(0, Math.min(count - 1, start))) : null;
    }

    moveTo(i) {
        const row = this.rows.at(i);

        this.select(this.rows.keyOf(row));
        this.reveal(i);
        this.soon();
        return row;
    }

    reveal(i) {
        const top = i * this.rowHeight, room = this.element.clientHeight - this.headHeight - this.rowHeight;

        if (top < this.element.scrollTop)
            this.element.scrollTop = top;
        else if (top > this.element.scrollTop + room)
            this.element.scrollTop = top - room;
    }

    clicked(event) {
        const key = event.target.closest('.line')?.dataset.key, i = key === undefined ? -1 : this.indexOf(key);

        if (i < 0 || String(getSelection()).length > 0)
            return;
        this.select(key);
        this.onopen(this.rows.at(i));
    }

    key(event) {
        const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight) - 2);
        const steps = { PageDown: page, PageUp: -page }, ends = { Home: 0, End: this.rows.count() - 1 };

        if (!(event.key in steps) && !(event.key in ends) || event.ctrlKey || event.metaKey || event.altKey)
            return;
        event.preventDefault();
        if (event.key in steps)
            this.move(steps[event.key]);
        else if (this.rows.count())
            this.moveTo(ends[event.key]);
    }

    release() {
        cancelAnimationFrame(this.frame);
        this.sizes.disconnect();
    }
}
