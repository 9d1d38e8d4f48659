/** The choice of a site: of those that there are, where asking for them costs nothing; else it is typed. */
import type { Filter } from '../../parts/filters.tsx';
import { useAbout } from '../../shell/about-context.ts';
import { usePage } from '../../use-page.ts';

export function useSiteFilter(): Filter {
    const { isPaid } = useAbout();
    const sites = usePage<{ sites: readonly string[] }>('flow-sites');
    return isPaid || sites.state !== 'ready'
        ? { name: 'site', label: 'Site', kind: 'search', placeholder: 'all' }
        : { name: 'site', label: 'Site', kind: 'choice', options: sites.data.sites.map((site) => ({ value: site, title: site })) };
}
