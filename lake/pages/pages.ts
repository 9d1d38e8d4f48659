/** All pages of the web application. */
import { addressesPage } from './addresses.ts';
import { alertsHistoryPage } from './alerts-history.ts';
import { alertsLivePage } from './alerts-live.ts';
import { alertsOfDayPage } from './alerts-of-day.ts';
import { askPage } from './ask.ts';
import { attentionPage } from './attention.ts';
import { calendarPage } from './calendar.ts';
import { chainsPage } from './chains.ts';
import { comparePage, compareTotalsPage } from './compare.ts';
import { daysPage } from './days.ts';
import { devicePage } from './device.ts';
import { deviceMessagesPage } from './device-messages.ts';
import { devicePeersPage } from './device-peers.ts';
import { deviceSeriesPage } from './device-series.ts';
import { deviceSpansPage } from './device-spans.ts';
import { doubtsPage } from './doubts.ts';
import { fleetHistoryPage } from './fleet-history.ts';
import { fleetHoursPage } from './fleet-hours.ts';
import { fleetLinesPage } from './fleet-lines.ts';
import { fleetLivePage } from './fleet-live.ts';
import { fleetMapPage } from './fleet-map.ts';
import { flowSitesPage } from './flow-sites.ts';
import { lagPage } from './lag.ts';
import { nearestPairsPage } from './nearest-pairs.ts';
import { newsPage } from './news.ts';
import type { Page } from './page.ts';
import { pairPage } from './pair.ts';
import { pairDayPage } from './pair-day.ts';
import { pairsPage } from './pairs.ts';
import { qualityPage } from './quality.ts';
import { questionsPage } from './questions.ts';
import { rejectsPage } from './rejects.ts';
import { siteMatrixPage } from './site-matrix.ts';
import { sourcePage } from './source.ts';
import { todayPage } from './today.ts';
import { unusualPage } from './unusual.ts';

export const PAGES: readonly Page[] = [
    addressesPage,
    alertsHistoryPage,
    alertsLivePage,
    alertsOfDayPage,
    askPage,
    attentionPage,
    calendarPage,
    chainsPage,
    comparePage,
    compareTotalsPage,
    daysPage,
    deviceMessagesPage,
    devicePage,
    devicePeersPage,
    deviceSeriesPage,
    deviceSpansPage,
    doubtsPage,
    fleetHistoryPage,
    fleetHoursPage,
    fleetLinesPage,
    fleetLivePage,
    fleetMapPage,
    flowSitesPage,
    lagPage,
    nearestPairsPage,
    newsPage,
    pairDayPage,
    pairPage,
    pairsPage,
    qualityPage,
    questionsPage,
    rejectsPage,
    siteMatrixPage,
    sourcePage,
    todayPage,
    unusualPage,
];
