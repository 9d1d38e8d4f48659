/** All pages of the web application. */
import { addressesPage } from './addresses.ts';
import { alertsOfDayPage } from './alerts-of-day.ts';
import { attentionPage } from './attention.ts';
import { calendarPage } from './calendar.ts';
import { chainsPage } from './chains.ts';
import { comparePage, compareTotalsPage } from './compare.ts';
import { daysPage } from './days.ts';
import { doubtsPage } from './doubts.ts';
import { flowSitesPage } from './flow-sites.ts';
import { lagPage } from './lag.ts';
import { nearestPairsPage } from './nearest-pairs.ts';
import { newsPage } from './news.ts';
import { alertsHistoryPage } from './alerts-history.ts';
import { alertsLivePage } from './alerts-live.ts';
import { devicePage } from './device.ts';
import { deviceMessagesPage } from './device-messages.ts';
import { devicePeersPage } from './device-peers.ts';
import { deviceSeriesPage } from './device-series.ts';
import { deviceSpansPage } from './device-spans.ts';
import { fleetHistoryPage } from './fleet-history.ts';
import { fleetHoursPage } from './fleet-hours.ts';
import { fleetLinesPage } from './fleet-lines.ts';
import { fleetLivePage } from './fleet-live.ts';
import { fleetMapPage } from './fleet-map.ts';
import type { Page } from './page.ts';
import { pairPage } from './pair.ts';
import { pairDayPage } from './pair-day.ts';
import { pairsPage } from './pairs.ts';
import { qualityPage } from './quality.ts';
import { rejectsPage } from './rejects.ts';
import { siteMatrixPage } from './site-matrix.ts';
import { sourcePage } from './source.ts';
import { todayPage } from './today.ts';
import { unusualPage } from './unusual.ts';

export const PAGES: readonly Page[] = [
    addressesPage,
    alertsOfDayPage,
    attentionPage,
    calendarPage,
    chainsPage,
    comparePage,
    compareTotalsPage,
    daysPage,
    doubtsPage,
    lagPage,
    flowSitesPage,
    nearestPairsPage,
    newsPage,
    pairDayPage,
    pairPage,
    pairsPage,
    qualityPage,
    rejectsPage,
    siteMatrixPage,
    sourcePage,
    todayPage,
    unusualPage,
    alertsHistoryPage,
    alertsLivePage,
    deviceMessagesPage,
    devicePage,
    devicePeersPage,
    deviceSeriesPage,
    deviceSpansPage,
    fleetHistoryPage,
    fleetHoursPage,
    fleetLinesPage,
    fleetLivePage,
    fleetMapPage,
import { askPage } from './ask.ts';
import type { Page } from './page.ts';
import { questionsPage } from './questions.ts';

export const PAGES: readonly Page[] = [
    askPage, //
    questionsPage,
];
