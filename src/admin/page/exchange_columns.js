/* The columns of the table of exchanges; table.css has their widths, and which of them a narrow table leaves out. */

import { clock, duration, fullTime, statusClass, statusText } from './format.js';
import { t } from './language.js';

const badRequest = row => row.method === '' && row.target === '';

/* What was decided, and the failure of sending it, look alike nowhere. */
const lookOf = row => (row.broken ? 'unsent' : statusClass(row.status));

/* Six digits are what the column has room for. */
const msText = ms => (ms < 1_000_000 ? String(ms) : `${Math.round(ms / 1000)} s`);

function msHint(row) {
    const full = row.ms < 10_000 ? '' : `${row.ms} ms · ${duration(row.ms)}`;

    return [row.slow && t('slow'), full].filter(Boolean).join('\n');
}

function reasonHint(row) {
    return row.broken ? `${t('decided')} ${row.reason}\n${t('brokenHint', { reason: row.broken })}` : row.reason;
}

function statusHint(row) {
    const parts = [row.status ? t(`class${Math.floor(row.status / 100)}`) : t('nothingSent')];

    if (row.detail)
        parts.push(t('detailHint', { dialect: row.dialect, detail: row.detail }));
    if (row.broken)
        parts.push(t('brokenHint', { reason: row.broken }));
    return parts.join('\n');
}

/* Who answered: an upstream, or this server, perhaps after it had asked one in vain. */
function byText(row) {
    if (row.by === 'upstream')
        return row.upstream_name;
    return row.upstream_name ? `${t('self')} (${row.upstream_name})` : t('self');
}

function byHint(row) {
    if (row.by === 'upstream')
        return t('byUpstream', { who: row.upstream_name });
    if (row.upstream_name)
        return t(row.status ? 'bySelf' : 'byNobody', { who: row.upstream_name });
    return t('bySelfAlone');
}

export function exchangeColumns() {
    return [
        { name: 'time', title: t('time'), text: row => clock(row.time_ms), hint: row => fullTime(row.time_ms) },
        { name: 'method', title: t('method'), text: row => row.method },
        {
            name: 'target', title: t('target'), text: row => (badRequest(row) ? t('unreadHead') : row.target),
            class: row => (badRequest(row) ? 'quiet' : ''), hint: row => row.target,
        },
        { name: 'status', title: t('status'), text: statusText, class: lookOf, hint: statusHint },
        {
            name: 'reason', title: t('reason'), text: row => (row.broken ? `✕ ${row.broken} · ${row.reason}` : row.reason),
            class: row => (row.failed || row.broken ? lookOf(row) : 'quiet'), hint: reasonHint,
        },
        { name: 'operand', title: t('operand'), text: row => row.operand, hint: row => row.operand },
        { name: 'ms', title: t('ms'), text: row => msText(row.ms), class: row => (row.slow ? 'slow' : ''), hint: msHint },
        { name: 'client', title: t('client'), text: row => row.client, hint: row => row.client },
        { name: 'by', title: t('by'), text: byText, class: row => (row.by === 'self' && row.upstream_name ? lookOf(row) : ''), hint: byHint },
        { name: 'site', title: t('site'), text: row => row.site, hint: row => row.site },
    ];
}
