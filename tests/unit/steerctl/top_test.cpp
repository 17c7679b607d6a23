// The pages of `steerctl top`: rates between two samples, sorting, keys, and screens of every size.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <string>

#include "top_model.h"
#include "top_view.h"

namespace json = boost::json;
using steerctl::draw;
using steerctl::press;
using steerctl::TopKey;
using steerctl::TopModel;
using steerctl::TopPage;
using steerctl::TopView;

namespace {

json::value counters(unsigned answered, unsigned servfail, unsigned hits, unsigned misses) {
    const auto n = [](unsigned number) { return std::to_string(number); };
    return json::parse(
        R"({"workers":[{"verdicts":{"answered":)" + n(answered) +
        R"(,"forwarded":500,"punted":900},"moved":{"answered":0},"injected":{"answered":2,"held":7},)"
        R"("pending_outcomes":{"servfail":)" +
        n(servfail) + R"(,"refreshed":40},"stats":{"cache_hits":)" + n(hits) +
        R"(,"cache_misses":)" + n(misses) + R"(}},{"verdicts":{"answered":10}}]})");
}

steerctl::TopSample sample(double at_s, json::value counted) {
    auto status = json::parse(
        R"({"version":"1.2","uptime_s":60,"ready":"yes","generation":3,"resident_bytes":1048576,
        "workers":[{"parked":2},{"parked":3}],"cache":{"entries":9},
        "upstreams":[{"name":"udp://192.0.2.1","forward":"up","via":"port","rtt_ms":1.5},
                     {"name":"udp://192.0.2.2","forward":"up","via":"port","rtt_ms":null}],
        "routers":[{"name":"edge1","state":"in_sync","rows":7,"owed":0,"board":"RB5009"},
                   {"name":"edge2","state":"disconnected","rows":1,"owed":44,"trouble":"wrong password"}]})");
    return {at_s, std::move(status), std::move(counted), {}};
}

// Two samples two seconds apart, and a count of queries.
TopModel model() {
    TopModel model;
    model.take(sample(10, counters(100, 0, 50, 50)));
    model.take(sample(12, counters(300, 20, 140, 60)));
    model.take_hits(
        json::parse(R"({"queries":100,"seconds":1,"names":[{"name":"b.example","queries":20},
        {"name":"a.example","queries":70},{"name":"\u001b[2J<b>","queries":10}],
        "clients":[{"client":"192.0.2.9","queries":100}]})"),
        "");
    return model;
}

std::string text_of(const steerctl::TopLine& line) {
    return std::accumulate(line.spans.begin(), line.spans.end(), std::string(),
                           [](std::string sum, const auto& span) { return sum + span.second; });
}

std::string screen_text(const TopModel& shown, const TopView& view, std::size_t width = 80,
                        std::size_t height = 24) {
    std::string out;
    for (const auto& line : draw(shown, view, width, height)) {
        std::string text = text_of(line);
        text.erase(text.find_last_not_of(' ') + 1);
        out += (line.is_selected ? ">" : " ") + text + "\n";
    }
    return out;
}

bool has(const std::string& text, std::string_view part) {
    BOOST_TEST_INFO(text);
    return text.find(part) != std::string::npos;
}

TopView on(TopPage page) {
    TopView view;
    view.page = page;
    return view;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(steerctl_top)

BOOST_AUTO_TEST_CASE(rates_are_those_between_two_samples) {
    const std::string text = screen_text(model(), on(TopPage::ends));
    BOOST_CHECK(has(text, "queries 110/s  cache hits 90.0 %"));  // (200 + 20) / 2 s; 90 of 100
    BOOST_CHECK(has(text, ">       100  90.9 %              312  answered\n"));
    BOOST_CHECK(has(text, "         10   9.1 %               20  servfail\n"));
    BOOST_CHECK(!has(text, "forwarded"));  // no end
    BOOST_CHECK(!has(text, "punted"));
    BOOST_CHECK(!has(text, "refreshed"));
    BOOST_CHECK(has(text, "pending 5  cached 9  memory 1.0 MiB"));
}

BOOST_AUTO_TEST_CASE(the_first_sample_and_a_restarted_daemon_have_no_rate) {
    TopModel first;
    first.take(sample(10, counters(100, 0, 3, 1)));
    BOOST_CHECK(has(screen_text(first, {}), "queries -  cache hits 75.0 %"));
    first.take(sample(11, counters(5, 0, 1, 0)));
    BOOST_CHECK(has(screen_text(first, {}), "queries -  "));
    first.take(sample(12, counters(15, 0, 1, 0)));
    BOOST_CHECK(has(screen_text(first, {}), "queries 10/s"));
}

BOOST_AUTO_TEST_CASE(an_error_is_shown_above_the_last_answers) {
    TopModel shown = model();
    steerctl::TopSample lost;
    lost.error = "steerdnsd is not running";
    shown.take(lost);
    const std::string text = screen_text(shown, {});
    BOOST_CHECK(has(text, "steerdnsd is not running\n"));
    BOOST_CHECK(has(text, "edge2"));
    shown.take(sample(20, counters(400, 20, 140, 60)));
    BOOST_CHECK(!has(screen_text(shown, {}), "not running"));
    BOOST_CHECK(has(screen_text(shown, {}), "queries -"));
}

BOOST_AUTO_TEST_CASE(the_overview_has_every_section_at_80_by_24) {
    const std::string text = screen_text(model(), {});
    for (const std::string_view part :
         {"answered", "udp://192.0.2.1", "1.5", "edge2", "disconnected", "a.example", "192.0.2.9",
          "[1 overview]", "q quit"})
        BOOST_CHECK(has(text, part));
}

BOOST_AUTO_TEST_CASE(foreign_names_are_shown_escaped) {
    const TopModel shown = model();
    for (const TopPage page : {TopPage::overview, TopPage::names}) {
        const std::string text = screen_text(shown, on(page));
        BOOST_CHECK(has(text, "\\x1b[2J<b>"));
        BOOST_CHECK(!has(text, "\x1b"));
    }
    TopView view = on(TopPage::names);
    press(view, shown, TopKey::last);
    press(view, shown, TopKey::open);
    BOOST_CHECK(view.is_detail);
    BOOST_CHECK(has(screen_text(shown, view), " \\x1b[2J<b>\n"));
    BOOST_CHECK(!has(screen_text(shown, view), "\x1b"));
}

BOOST_AUTO_TEST_CASE(every_size_gives_as_many_lines_and_no_longer_ones) {
    const TopModel shown = model();
    TopModel nothing;
    for (std::size_t width = 1; width < 130; width += 3) {
        for (std::size_t height = 1; height < 40; height += 2) {
            for (std::size_t page = 0; page < steerctl::kTopPages.size(); ++page) {
                for (const TopModel* one : {&shown, static_cast<const TopModel*>(&nothing)}) {
                    const auto lines = draw(*one, on(static_cast<TopPage>(page)), width, height);
                    BOOST_REQUIRE_EQUAL(lines.size(), height);
                    for (const auto& line : lines)
                        BOOST_REQUIRE_LE(steerctl::display_width(text_of(line)), width);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(rows_are_sorted_by_the_chosen_column) {
    const TopModel shown = model();
    TopView view = on(TopPage::names);
    std::string text = screen_text(shown, view);
    BOOST_CHECK_LT(text.find("a.example"), text.find("b.example"));
    press(view, shown, TopKey::reverse);
    text = screen_text(shown, view);
    BOOST_CHECK_GT(text.find("a.example"), text.find("b.example"));
    view = on(TopPage::routers);
    press(view, shown, TopKey::sort_left);  // the last column: rows to write
    text = screen_text(shown, view);
    BOOST_CHECK_LT(text.find("edge2"), text.find("edge1"));
    press(view, shown, TopKey::sort_right);  // around, to the name
    text = screen_text(shown, view);
    BOOST_CHECK_LT(text.find("edge1"), text.find("edge2"));
}

BOOST_AUTO_TEST_CASE(the_selection_stays_on_its_row_when_the_order_changes) {
    TopModel shown = model();
    TopView view = on(TopPage::names);
    press(view, shown, TopKey::down);
    BOOST_CHECK_EQUAL(view.key, "b.example");
    shown.take_hits(
        json::parse(R"({"queries":9,"seconds":1,"names":[{"name":"b.example","queries":8},
        {"name":"a.example","queries":1}]})"),
        "");
    BOOST_CHECK(has(screen_text(shown, view), ">         8  88.9 %  b.example\n"));
    shown.take_hits(
        json::parse(R"({"queries":1,"seconds":1,"names":[{"name":"c.example","queries":1}]})"), "");
    BOOST_CHECK(has(screen_text(shown, view), ">         1  100.0 %  c.example\n"));
    shown.take_hits(nullptr, "queries are being counted already");
    BOOST_CHECK(has(screen_text(shown, view), "c.example"));  // what was counted last
}

BOOST_AUTO_TEST_CASE(latency_is_shown_by_path_between_two_samples) {
    const auto timed = [](unsigned fast, unsigned slow, unsigned tcp) {
        const auto n = [](unsigned number) { return std::to_string(number); };
        return json::parse(R"({"workers":[{"answer_us_cache":{"to_10":)" + n(fast) +
                           R"(,"to_30":5,"answers":0,"sum":7},"answer_us_forwarded":{"to_10000":)" +
                           n(slow) + R"(,"more":)" + n(slow / 10) +
                           R"(},"answer_us_stale":{},"queries_by_transport":{"udp":0,"tcp":)" +
                           n(tcp) + R"(,"dot":1}},{"answer_us_cache":{"to_10":1}}]})");
    };
    TopModel shown;
    shown.take(sample(10, timed(100, 0, 4)));
    shown.take(sample(12, timed(300, 20, 10)));
    const std::string text = screen_text(shown, on(TopPage::latency), 100);
    BOOST_CHECK(has(
        text, "100   <= 0.01 ms   <= 0.01 ms   <= 0.01 ms              306  cache, packet cache"));
    BOOST_CHECK(has(text, "11     <= 10 ms     <= 10 ms   > 10000 ms               22  upstream"));
    BOOST_CHECK(
        has(text, "3  -            -            -                         10  all over TCP"));
    BOOST_CHECK(has(text, "all over DoT"));
    BOOST_CHECK(!has(text, "stale"));
    BOOST_CHECK(!has(text, "UDP"));
    shown.take(sample(14, timed(300, 20, 10)));  // nothing since: those since the start
    BOOST_CHECK(has(screen_text(shown, on(TopPage::latency), 100), "0   <= 0.01 ms"));
    TopView view = on(TopPage::latency);
    press(view, shown, TopKey::open);
    BOOST_CHECK(view.is_detail);
}

BOOST_AUTO_TEST_CASE(keys_open_a_row_and_go_back) {
    TopModel shown = model();
    TopView view;
    press(view, shown, TopKey::down);
    press(view, shown, TopKey::down);
    press(view, shown, TopKey::open);
    BOOST_CHECK(view.page == TopPage::routers);
    press(view, shown, TopKey::last);
    press(view, shown, TopKey::open);
    std::string text = screen_text(shown, view);
    BOOST_CHECK(has(text, "trouble: wrong password"));
    shown.take_detail(TopPage::routers, "edge2", "5 s ago: login failed\n");
    BOOST_CHECK(has(screen_text(shown, view), "5 s ago: login failed"));
    shown.take_detail(TopPage::routers, "edge1", "of another row\n");
    BOOST_CHECK(!has(screen_text(shown, view), "of another row"));
    press(view, shown, TopKey::back);
    BOOST_CHECK(!view.is_detail);
    press(view, shown, TopKey::back);
    BOOST_CHECK(view.page == TopPage::overview);
    press(view, shown, TopKey::page, 4);
    BOOST_CHECK(view.page == TopPage::names);
    press(view, shown, TopKey::page, 8);
    BOOST_CHECK(view.page == TopPage::names);
    press(view, shown, TopKey::help);
    BOOST_CHECK(has(screen_text(shown, view), "sort by another column"));
    press(view, shown, TopKey::down);
    BOOST_CHECK(!view.has_help);
    press(view, shown, TopKey::pause);
    BOOST_CHECK(has(screen_text(shown, view), "stopped"));
    BOOST_CHECK(!press(view, shown, TopKey::quit));
}

BOOST_AUTO_TEST_CASE(keys_on_empty_pages_do_nothing) {
    TopModel nothing;
    for (std::size_t page = 0; page < steerctl::kTopPages.size(); ++page) {
        TopView view = on(static_cast<TopPage>(page));
        for (const TopKey key :
             {TopKey::up, TopKey::down, TopKey::page_down, TopKey::last, TopKey::sort_left,
              TopKey::sort_right, TopKey::reverse, TopKey::open})
            BOOST_CHECK(press(view, nothing, key));
        BOOST_CHECK(!view.is_detail);
    }
    for (const char* odd :
         {"null", "7", R"({"workers":7})", R"({"workers":[7,{"verdicts":[]}]})"}) {
        TopModel shown;
        shown.take({1, json::parse(odd), json::parse(odd), {}});
        shown.take({2, json::parse(odd), json::parse(odd), {}});
        shown.take_hits(json::parse(odd), "");
        BOOST_CHECK(!steerctl::plain_text(shown).empty());
    }
}

BOOST_AUTO_TEST_CASE(one_screen_as_text_has_all_pages) {
    const std::string text = steerctl::plain_text(model());
    for (const std::string_view part :
         {"\nends\n  per second   share  since the start  end\n", "\nupstreams\n", "\nrouters\n",
          "\nnames\n  per second   share  name\n          70  70.0 %  a.example\n", "\nclients\n"})
        BOOST_CHECK(has(text, part));
}

BOOST_AUTO_TEST_SUITE_END()
