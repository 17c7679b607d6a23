// Tables and colours on terminals of several widths, and without one.
#include <boost/test/unit_test.hpp>
#include <string>

#include "screen.h"
#include "table.h"

using steerctl::Screen;
using steerctl::Style;

namespace {

// The screen of a test, until its end.
struct OnScreen {
    explicit OnScreen(const Screen& screen) { set_screen(screen); }
    ~OnScreen() { steerctl::set_screen({}); }
};
constexpr Screen kColored{false, true, true, 0};
constexpr Screen width_of(unsigned columns) {
    return {false, false, false, columns};
}

steerctl::Table routers() {
    steerctl::Table table;
    table.headings({"router", "address", "rows", "since", "trouble"});
    table.row({"edge1", "172.16.1.1:8728", "12", "1 min 5 s", "-"});
    table.row({"edge2", "172.16.1.2:8728", "7", "12 s", "the password is wrong: set `password`"});
    return table;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(steerctl_screen)

BOOST_AUTO_TEST_CASE(a_table_without_a_terminal_is_as_wide_as_its_cells) {
    BOOST_CHECK_EQUAL(
        routers().text(),
        "  router  address          rows      since  trouble\n"
        "  edge1   172.16.1.1:8728    12  1 min 5 s  -\n"
        "  edge2   172.16.1.2:8728     7       12 s  the password is wrong: set `password`\n");
}

BOOST_AUTO_TEST_CASE(text_in_the_last_column_is_wrapped_to_the_terminal) {
    const OnScreen narrow(width_of(72));
    BOOST_CHECK_EQUAL(routers().text(),
                      "  router  address          rows      since  trouble\n"
                      "  edge1   172.16.1.1:8728    12  1 min 5 s  -\n"
                      "  edge2   172.16.1.2:8728     7       12 s  the password is wrong: set\n"
                      "                                            `password`\n");
}

BOOST_AUTO_TEST_CASE(columns_that_do_not_fit_follow_in_a_second_part) {
    const OnScreen narrow(width_of(40));
    BOOST_CHECK_EQUAL(routers().text(),
                      "  router  address          rows\n"
                      "  edge1   172.16.1.1:8728    12\n"
                      "  edge2   172.16.1.2:8728     7\n"
                      "  router      since\n"
                      "  edge1   1 min 5 s\n"
                      "  edge2        12 s\n"
                      "  router  trouble\n"
                      "  edge1   -\n"
                      "  edge2   the password is wrong: set\n"
                      "          `password`\n");
}

BOOST_AUTO_TEST_CASE(every_width_keeps_numbers_whole_and_ends) {
    for (unsigned width = 1; width < 120; ++width) {
        const OnScreen narrow(width_of(width));
        const std::string text = routers().text();
        BOOST_CHECK(text.find("1 min 5 s") != std::string::npos);
        if (width < 30) continue;  // narrower than two columns
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            BOOST_CHECK_LE(steerctl::display_width(text.substr(at, end - at)), width);
            at = end + 1;
        }
    }
}

BOOST_AUTO_TEST_CASE(columns_are_counted_in_characters) {
    steerctl::Table table;
    table.headings({"comment", "n"});
    table.row({"Küche", "1"});
    table.row({"日本", "22"});
    BOOST_CHECK_EQUAL(table.text(), "  comment   n\n  Küche     1\n  日本     22\n");
    BOOST_CHECK_EQUAL(steerctl::display_width("e\u0301"), 1);  // e with a combining accent
    BOOST_CHECK_EQUAL(steerctl::cut("日本語", 5), "日本…");
    BOOST_CHECK_EQUAL(steerctl::cut("abc", 0), "");
    BOOST_CHECK_EQUAL(steerctl::cut("abc", 3), "abc");
}

BOOST_AUTO_TEST_CASE(text_is_styled_only_where_there_are_colours) {
    BOOST_CHECK_EQUAL(steerctl::styled(Style::bad, "x"), "x");
    const OnScreen colored(kColored);
    const std::string marked = steerctl::styled(Style::bad, "x");
    BOOST_CHECK_EQUAL(marked,
                      "\x1f"
                      "5x\x1f"
                      "0");
    BOOST_CHECK(steerctl::without_mark(marked).style == Style::bad);
    BOOST_CHECK_EQUAL(steerctl::without_mark(marked).text, "x");
    BOOST_CHECK_EQUAL(steerctl::styled_state("in_sync"), steerctl::styled(Style::good, "in_sync"));
    BOOST_CHECK_EQUAL(steerctl::styled_state("disconnected"),
                      steerctl::styled(Style::bad, "disconnected"));
    BOOST_CHECK_EQUAL(steerctl::styled_state("new_state"), "new_state");
}

BOOST_AUTO_TEST_CASE(colours_do_not_change_the_columns_of_a_table) {
    const auto text = [](std::string_view state) {
        steerctl::Table table;
        table.row({steerctl::styled(Style::good, state), "1"});
        table.row({"a longer text", "20"});
        return table.text();
    };
    const std::string plain = text("up");
    BOOST_CHECK_EQUAL(plain, "  up              1\n  a longer text  20\n");
    const OnScreen colored(kColored);
    BOOST_CHECK_EQUAL(text("up"),
                      "  \x1f"
                      "3up\x1f"
                      "0              1\n  a longer text  20\n");
}

BOOST_AUTO_TEST_SUITE_END()
