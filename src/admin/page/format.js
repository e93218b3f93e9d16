/* Times, numbers and sizes as people of the chosen language write them. */

import { language, t } from './language.js';

const pad = (n, width) => String(n).padStart(width, '0');

/* Without Intl, because the table calls it for each row it draws. */
export function clock(unixMs) {
    const d = new Date(unixMs);

    return `${pad(d.getHours(), 2)}:${pad(d.getMinutes(), 2)}:${pad(d.getSeconds(), 2)}.${pad(d.getMilliseconds(), 3)}`;
}

export function fullTime(unixMs) {
    const day = new Intl.DateTimeFormat(language(), { dateStyle: 'full' }).format(unixMs);

    return `${day} ${clock(unixMs)}\n${new Date(unixMs).toISOString()}`;
}

export function number(n, digits = 0) {
    return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(n);
}

function unit(n, name, digits) {
    return new Intl.NumberFormat(language(), {
        style: 'unit', unit: name, unitDisplay: name === 'byte' ? 'long' : 'short', maximumFractionDigits: digits,
    }).format(n);
}

export function bytes(n) {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
    let i = 0;

    while (n >= 1000 && i < units.length - 1) {
        n /= 1000;
        i++;
    }
    return unit(n, units[i], n < 10 && i > 0 ? 1 : 0);
}

export function percent(share) {
    return share > 0 && share < 0.001 ? `<${number(0.1, 1)} %` : `${number(share * 100, 1)} %`;
}

export function duration(ms) {
    if (ms < 10_000)
        return unit(ms, 'millisecond', 0);
    if (ms < 60_000)
        return unit(ms / 1000, 'second', 1);
    if (ms < 3_600_000)
        return unit(ms / 60_000, 'minute', ms < 600_000 ? 1 : 0);
    return ms < 172_800_000 ? unit(ms / 3_600_000, 'hour', 1) : unit(ms / 86_400_000, 'day', 0);
}

/* "404", "400 (494)", "404.13", "(499)": in brackets what was told and not sent. */
export function statusText({ status, detail }) {
    if (!detail)
        return status ? String(status) : t('none');
    if (detail.startsWith(`${status}.`))
        return detail;
    return status ? `${status} (${detail})` : `(${detail})`;
}

export const statusClass = status => `class-${Math.floor(status / 100)}`;

/* "RFC9110:15.5.5" leads to the section. */
export function specAddress(spec) {
    const found = /^RFC(\d+)(?::([\w.-]+))?$/.exec(spec);

    if (!found)
        return null;
    const section = found[2] ? `#${/^[A-Z]/.test(found[2]) ? 'appendix' : 'section'}-${found[2]}` : '';

    return `https://www.rfc-editor.org/rfc/rfc${found[1]}${section}`;
}
