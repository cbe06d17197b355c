/*
 * The pixel: who visits, from where, and what they look at. Add it to every page of the shop:
 *
 *   <script>window.c360=window.c360||function(){(c360.q=c360.q||[]).push(arguments)}</script>
 *   <script async src="https://your.server/pixel.js?k=pk_…"></script>
 *
 * c360('track', 'Product Viewed', {product_id: 'p1'})     c360('identify', 'user-1', {email: 'ann@example.com'})
 * c360('page', {…}), sent by itself on load and navigation c360('reset') forgets who it is
 * c360('consent', true) and c360('consent', false)         remembered; needed where the tag says data-consent="required"
 *
 * Nothing is stored or sent while consent is refused, or awaited where it is required, or while the browser asks
 * for privacy (Global Privacy Control). Comments are stripped when it is served; it must stay under 3 KB.
 */
((w, d, n, here) => {
  var tag = d.currentScript || d.querySelector('script[src*="/pixel.js?"]');
  var src = new URL(tag.src);
  var endpoint = src.href.replace(/pixel\.js.*/, 'v1/batch');
  var queue = [];
  var timer, user, memory, lastUrl, before;
  var referrer = d.referrer;

  /* A cookie that this shop's pages alone can read; storage stands in where cookies are cut short. */
  var read = name => {
    var found = d.cookie.match('(?:^|; )' + name + '=([^;]+)');
    try {
      return found ? found[1] : w.localStorage[name];
    } catch (e) {}
  };

  var write = (name, value) => {
    d.cookie = name + '=' + value + ';path=/;max-age=' + (value ? 34e6 : 0) + ';SameSite=Lax' + (w.isSecureContext ? ';Secure' : '');
    try {
      w.localStorage[name] = value;
    } catch (e) {}
  };

  var random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => (byte + 256).toString(16).slice(1)).join('');

  var forget = () => write('c360_id', (memory = ''));

  var allowed = () => {
    var choice = read('c360_consent');
    var shopify = w.Shopify?.customerPrivacy;
    return !n.globalPrivacyControl && choice != 'no' && (shopify ? shopify.analyticsProcessingAllowed() : choice || tag.dataset.consent != 'required');
  };

  var add = event => {
    if (!allowed()) return;
    memory = read('c360_id') || memory || random();
    write('c360_id', memory);
    queue.push({
      ...event,
      anonymousId: memory,
      userId: user,
      messageId: random(),
      timestamp: new Date(),
      context: {
        page: {url: here.href, path: here.pathname, referrer: referrer, title: d.title},
        locale: n.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone
      }
    });
    clearTimeout(timer);
    if (queue.length > 19) flush();
    else timer = setTimeout(flush, 300);
  };

  var flush = () => {
    if (!queue[0] || !allowed()) return;
    var body = JSON.stringify({
      writeKey: src.searchParams.get('k'),
      sentAt: new Date(),
      context: {library: {name: 'customer360-pixel', version: '1'}},
      batch: queue
    });
    queue = [];
    n.sendBeacon?.(endpoint, body) || fetch(endpoint, {method: 'POST', body: body, credentials: 'omit'}).catch(() => {});
  };

  var page = properties => {
    lastUrl = here.href;
    add({type: 'page', properties: properties});
    referrer = lastUrl;
  };

  /* A single-page shop changes the address without loading a page; the title follows a moment later. */
  var navigated = () => setTimeout(() => {
    if (here.href.split('#')[0] != lastUrl.split('#')[0]) page();
  }, 50);

  var consented = () => {
    var now = !!allowed();
    if (!now) queue = [];
    else if (before === false) page();
    before = now;
  };

  var commands = {
    track: (name, properties) => add({type: 'track', event: name, properties: properties}),
    page: page,
    identify: (id, traits) => {
      var named = typeof id != 'object';
      if (named) user = '' + id;
      add({type: 'identify', traits: named ? traits : id});
    },
    consent: yes => {
      if (!yes) forget();
      write('c360_consent', yes ? 'yes' : 'no');
      consented();
    },
    reset: () => {
      user = void 0;
      forget();
    }
  };

  var run = command => commands[command[0]]?.(command[1], command[2]);
  var early = [...(w.c360?.q || [])];
  var isConsent = command => command[0] == 'consent';
  w.c360 = (...command) => run(command);

  for (let name of ['pushState', 'replaceState']) {
    let original = history[name];
    history[name] = (...given) => {
      original.apply(history, given);
      navigated();
    };
  }
  w.addEventListener('popstate', navigated);
  w.addEventListener('pagehide', flush);
  d.addEventListener('visibilitychange', () => d.hidden && flush());
  d.addEventListener('visitorConsentCollected', consented);

  /* A choice made before this loaded holds for the very first page. */
  early.filter(isConsent).forEach(run);
  before = !!allowed();
  page();
  early.filter(command => !isConsent(command)).forEach(run);
})(window, document, navigator, location);
