// What is wider than the page scrolls by keyboard, too: the theme wraps tables when the page is shown.
document$.subscribe(() => {
  for (const wrap of document.querySelectorAll('.md-typeset__scrollwrap')) {
    if (wrap.scrollWidth > wrap.clientWidth) {
      wrap.tabIndex = 0;
      wrap.setAttribute('role', 'region');
      wrap.setAttribute('aria-label', 'Table');
    }
  }
});
