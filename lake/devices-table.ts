/** The table of the registry of devices; lake/devices.ts reads and writes it. */
import { DEVICES_PREFIX } from '#lake/layout';
import { type Table, text } from '#lake/tables';

/** Which device stood where, and how its messages are read, by dates. The columns are the fields of an assignment. */
export const devices: Table = {
    name: 'devices',
    prefix: DEVICES_PREFIX,
    format: 'json',
    grain: 'assignment of a device to a site, an address and a profile',
    columns: [
        text('site', 'site where the device stands'),
        text('device', 'id of the device'),
        text('profile', 'name of the profile that its messages are read by'),
        text('ip', 'its address at the site, IPv6 in its short form (RFC 5952); null where it has none of its own', true),
        text('valid_from', 'first day of the assignment, `YYYY-MM-DD`; null: from the beginning', true),
        text('valid_to', 'day on which it holds no more, `YYYY-MM-DD`; null: it holds still', true),
        text('place', 'where at the site: a room, a machine, a mast', true),
    ],
};
