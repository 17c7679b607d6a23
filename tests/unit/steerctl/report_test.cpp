// What steerctl prints of the daemon's answers, whole, partial and odd.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace json = boost::json;

BOOST_AUTO_TEST_SUITE(steerctl_report)

BOOST_AUTO_TEST_CASE(tables_are_aligned) {
    steerctl::Table table;
    table.headings({"name", "count"});
    table.row({"a", "12345"});
    table.row({"longer", "7"});
    BOOST_CHECK_EQUAL(table.text(), "  name    count\n  a       12345\n  longer      7\n");
    BOOST_CHECK_EQUAL(steerctl::Table().text(), "");
}

BOOST_AUTO_TEST_CASE(durations_are_written_with_units) {
    BOOST_CHECK_EQUAL(steerctl::duration_text(0), "0 s");
    BOOST_CHECK_EQUAL(steerctl::duration_text(59.9), "59 s");
    BOOST_CHECK_EQUAL(steerctl::duration_text(61), "1 min 1 s");
    BOOST_CHECK_EQUAL(steerctl::duration_text(7260), "2 h 1 min");
    BOOST_CHECK_EQUAL(steerctl::duration_text(90061), "1 d 1 h");
    BOOST_CHECK_EQUAL(steerctl::duration_text(-5), "0 s");
}

BOOST_AUTO_TEST_CASE(dates_are_written_in_utc) {
    BOOST_CHECK_EQUAL(steerctl::date_text(0), "1970-01-01 00:00 UTC");
    BOOST_CHECK_EQUAL(steerctl::date_text(1798761540), "2026-12-31 23:59 UTC");
    BOOST_CHECK_EQUAL(steerctl::date_text(1e300).substr(0, 4), "5138");
}

// What is nested is reported in words, not as JSON, and in few columns.
BOOST_AUTO_TEST_CASE(a_status_with_nested_objects_is_written) {
    const auto status = json::parse(
        R"({"version":"0.1.0","uptime_s":5,"config":"a.yaml",
        "reload":{"under_way":false,"done":2,"refused":1,"trouble":"a.yaml:3: no","ago_s":61},
        "routers":[{"name":"edge1","state":"in_sync","board":"RB5009","rtt_ms":1.5,"paused":false,
                    "lists":[{"tag":"list","claims":7,"max_rows":50000}],"flash_sectors":7,
                    "findings":{"zero-timeout":{"question":"add","answer":"no timeout","text":""}}}],
        "certificates":[{"file":"cert.pem","subject":"CN=dns.example","begins_s":0,"ends_s":1798761540},
            {"upstream":"tls://192.0.2.1","subject":"CN=theirs","ends_s":1798761540}]})");
    BOOST_CHECK_EQUAL(
        steerctl::status_text(status),
        "steerdnsd 0.1.0, up 5 s, configuration a.yaml\n"
        "  reload  under way no, done 2, refused 1, trouble a.yaml:3: no, ago 1 min 1 s\n"
        "\nrouters\n"
        "  router  state    paused\n"
        "  edge1   in_sync  no\n"
        "\ncertificates\n"
        "  file or upstream  subject         until\n"
        "  cert.pem          CN=dns.example  2026-12-31 23:59 UTC\n"
        "  tls://192.0.2.1   CN=theirs       2026-12-31 23:59 UTC\n");
    const auto odd = steerctl::status_text(json::parse(R"({"certificates":[7,{}],"reload":{}})"));
    BOOST_CHECK(odd.find("  reload  -\n") != std::string::npos);
    BOOST_CHECK(odd.find("until") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(routers_of_both_kinds_are_shown) {
    const std::string opnsense =
        R"("opnsense":[{"name":"fw1","address":"192.0.2.1 port 443","alias":"video","list":"video",
        "state":"away","elements":2,"owed":2,"foreign":0,"trouble":"it took too long"}])";
    const std::string shown =
        "opnsense\n"
        "  OPNsense  address             alias  list   state  elements  to write  foreign\n"
        "  fw1       192.0.2.1 port 443  video  video  away          2         2        0\n"
        "  fw1: it took too long\n";
    BOOST_CHECK_EQUAL(steerctl::routers_text(json::parse(R"({"routers":[],)" + opnsense + "}")),
                      shown);
    BOOST_CHECK_EQUAL(steerctl::routers_text(json::parse(
                          R"({"routers":[{"name":"edge1","address":"edge1","state":"in_sync"}],)" +
                          opnsense + "}")),
                      "edge1: in_sync\n\n" + shown);
    BOOST_CHECK_EQUAL(steerctl::routers_text(json::parse(R"({"routers":[]})")),
                      "the configuration has no router\n");
    BOOST_CHECK_EQUAL(steerctl::router_differences_text(json::parse(R"({"routers":[]})")),
                      "the configuration has no RouterOS router\n");
}

BOOST_AUTO_TEST_CASE(a_whole_status_is_written_in_sections) {
    const auto status = json::parse(
        R"({"version":"0.1.0","uptime_s":3725,"config":"/etc/steerdns.yaml","memory":"256 MiB",
        "resident_bytes":3145728,"cpu_s":61.5,
        "ports":[{"device":"eth0","driver":"af_xdp","why":"it can"}],
        "addresses":["192.0.2.1","2001:db8::1"],
        "workers":[{"index":0,"cpu":1,"parked":3,"busy_percent":12.34}],
        "cache":{"entries":1234,"bytes":3145728,"shards":8},
        "routers":[{"name":"edge1","address":"172.16.1.1:8729","state":"ready","trouble":"","rows":10,
                    "claims":12,"owed":2,"orphans":1},
                   {"name":"edge2","trouble":"wrong password","rows":0}],
        "upstreams":[{"name":"192.0.2.53","forward":"up","via":"port","random_case":"on","rtt_ms":1.25},
                     {"name":"192.0.2.54","forward":"up","via":"port","random_case":"changed","rtt_ms":null}]})");
    BOOST_CHECK_EQUAL(steerctl::status_text(status),
                      "steerdnsd 0.1.0, up 1 h 2 min, configuration /etc/steerdns.yaml\n"
                      "  memory     256 MiB\n"
                      "  resident   3.0 MiB\n"
                      "  cpu        1 min 1 s\n"
                      "  addresses  192.0.2.1, 2001:db8::1\n"
                      "\nports\n"
                      "  device  driver  why\n"
                      "  eth0    af_xdp  it can\n"
                      "\nworkers\n"
                      "  worker  cpu  busy %  pending\n"
                      "       0    1    12.3        3\n"
                      "\ncache\n"
                      "  1234 entries, 3.0 MiB, 8 shards\n"
                      "\nrouters\n"
                      "  router  address          state  rows  claims  rows to write  orphans\n"
                      "  edge1   172.16.1.1:8729  ready    10      12              2        1\n"
                      "  edge2   -                -         0       -              -        -\n"
                      "  edge2: wrong password\n"
                      "\nupstreams\n"
                      "  upstream    forward  via   random case  rtt ms\n"
                      "  192.0.2.53  up       port  on              1.2\n"
                      "  192.0.2.54  up       port  changed           -\n");
}

BOOST_AUTO_TEST_CASE(hits_are_written_as_a_table) {
    const auto answer = json::parse(
        R"({"queries":1200,"malformed":3,"samples":600,"lost":2,"names":[{"name":"www.example.org","queries":800},
        {"name":"a.example","queries":40}],"clients":[{"client":"192.0.2.1","queries":1197}],"types":[],
        "seconds":10,"rules_that_hold":7,"rules":[{"plugin":"domain_set 'ads'","says":"in",
        "rule":"domain:example.org","file":"/etc/ads.txt","line":7,"queries":800}]})");
    BOOST_CHECK_EQUAL(steerctl::hits_text(answer),
                      "1200 queries in 10 seconds, estimated from 600 of them, 3 malformed\n"
                      "\nnames\n"
                      "  queries   share  name\n"
                      "      800  66.7 %  www.example.org\n"
                      "       40   3.3 %  a.example\n"
                      "\nclients\n"
                      "  queries   share  client\n"
                      "     1197  99.8 %  192.0.2.1\n"
                      "\nrules (7 match at least one query)\n"
                      "  queries   share  plugin            effect  rule                at\n"
                      "      800  66.7 %  domain_set 'ads'  in      domain:example.org  "
                      "/etc/ads.txt:7\n");
    BOOST_CHECK_EQUAL(
        steerctl::hits_text(json::parse(R"({"queries":0,"samples":0,"seconds":1,"rules":[]})")),
        "0 queries in 1 second\n\nno rule matches any of them\n");
}

BOOST_AUTO_TEST_CASE(hits_are_grouped_by_suffix) {
    const auto answer = json::parse(
        R"({"queries":100,"names":[{"name":"www.a.example","queries":30},{"name":"b.test","queries":25},
        {"name":"cdn.a.example.","queries":20},{"name":"x\\.a.example","queries":5},{"name":"localhost","queries":4},
        {"name":".","queries":3},{"name":7}],"clients":[{"client":"192.0.2.1","queries":90},
        {"client":"192.0.2.2","queries":10}],"seconds":1})");
    const auto grouped = steerctl::group_hits(answer, 2, 3);
    BOOST_CHECK_EQUAL(json::serialize(grouped.at("suffixes")),
                      R"([{"suffix":"a.example","queries":50,"names":2},)"
                      R"({"suffix":"b.test","queries":25,"names":1},)"
                      R"({"suffix":"x\\.a.example","queries":5,"names":1}])");
    BOOST_CHECK_EQUAL(grouped.at("names").as_array().size(), 3);
    const std::string text = steerctl::hits_text(grouped);
    BOOST_CHECK(text.find("\nsuffixes\n  queries   share  names  suffix\n"
                          "       50  50.0 %      2  a.example\n") != std::string::npos);
    BOOST_CHECK_EQUAL(json::serialize(steerctl::group_hits(answer, 1, 2).at("suffixes")),
                      R"([{"suffix":"example","queries":55,"names":3},)"
                      R"({"suffix":"test","queries":25,"names":1}])");
    const auto with_domains = json::parse(
        R"({"names":[{"name":"www.bbc.co.uk","domain":"bbc.co.uk","queries":3},
        {"name":"bbc.co.uk","domain":"bbc.co.uk","queries":2},{"name":"a.b.example","queries":1}]})");
    BOOST_CHECK_EQUAL(json::serialize(steerctl::group_hits(with_domains, 0, 5).at("suffixes")),
                      R"([{"suffix":"bbc.co.uk","queries":5,"names":2},)"
                      R"({"suffix":"b.example","queries":1,"names":1}])");
    BOOST_CHECK_EQUAL(json::serialize(steerctl::group_hits(with_domains, 2, 1).at("suffixes")),
                      R"([{"suffix":"co.uk","queries":5,"names":2}])");
    for (const char* odd : {"null", "7", R"({"names":7})", R"({"names":[7,{}],"clients":{}})"})
        BOOST_CHECK(!steerctl::hits_text(steerctl::group_hits(json::parse(odd), 2, 5)).empty());
}

BOOST_AUTO_TEST_CASE(unexpected_answers_are_written_without_a_fault) {
    for (const char* text :
         {"null", "[]", "7", "{}", R"({"ports":7,"workers":[7,null,{}],"cache":[],"routers":{}})",
          R"({"ports":[{"addresses":{"a":1}}],"uptime_s":"x","cache":{"bytes":"many"}})",
          R"({"workers":[{"verdicts":7},{"verdicts":{"a":"b","c":-5,"d":1.5}}],"outcomes":[1]})"}) {
        const auto value = json::parse(text);
        BOOST_CHECK(steerctl::status_text(value).starts_with("steerdnsd "));
        BOOST_CHECK(!steerctl::counters_text(value, true).empty());
    }
    BOOST_CHECK(steerctl::status_text(json::parse(R"({"version":"\u001b[2J"})"))
                    .starts_with("steerdnsd \\x1b[2J"));
}

BOOST_AUTO_TEST_CASE(counters_of_one_worker) {
    const auto counters =
        json::parse(R"({"workers":[{"verdicts":{"answered":10,"held":0},"stats":{"sleeps":0}}],
        "outcomes":{"installed":2,"late":0},"routers":[{"name":"edge1","rows":4}]})");
    BOOST_CHECK_EQUAL(steerctl::counters_text(counters, false),
                      "verdicts\n  answered  10\n\noutcomes\n  installed  2\n"
                      "\nrouters\n        edge1\n  rows      4\n");
    BOOST_CHECK_EQUAL(
        steerctl::counters_text(counters, true),
        "verdicts\n  answered  10\n  held       0\n\nstats\n  sleeps  0\n"
        "\noutcomes\n  installed  2\n  late       0\n\nrouters\n        edge1\n  rows      4\n");
}

BOOST_AUTO_TEST_CASE(counters_of_two_workers_have_a_sum) {
    const auto counters = json::parse(
        R"({"workers":[{"verdicts":{"answered":10}},{"verdicts":{"answered":5,"held":1}}]})");
    BOOST_CHECK_EQUAL(steerctl::counters_text(counters, false),
                      "verdicts\n"
                      "            worker 0  worker 1  sum\n"
                      "  answered        10         5   15\n"
                      "  held             0         1    1\n");
    BOOST_CHECK_EQUAL(steerctl::counters_text(json::parse("{}"), false),
                      "nothing was counted yet\n");
}

BOOST_AUTO_TEST_CASE(cached_answers_are_written_with_ttl_and_cache) {
    const auto shown = json::parse(
        R"({"answers":[{"name":"www.example","type":"A","class":"IN","cache":"main","do":true,"cd":false,
        "rcode":"NOERROR","left_s":61,"usable_s":61,"age_s":5,"bytes":192,"lists":["policy on edge1"],
        "records":["www.example. 61 IN A 192.0.2.1"]},
        {"name":"old.example","type":"A","class":"IN","cache":"main","rcode":"NXDOMAIN","left_s":-9,"usable_s":60,
        "age_s":9,"over_v4":true,"bytes":128}]})");
    BOOST_CHECK_EQUAL(
        steerctl::cache_show_text(shown),
        "www.example A IN, NOERROR, 1 min 1 s left, age 5 s, DO, in cache main, 192 bytes\n"
        "  claims policy on edge1\n"
        "  www.example. 61 IN A 192.0.2.1\n"
        "old.example A IN, NXDOMAIN, stale for another 1 min 0 s, age 9 s, for IPv4 clients, in "
        "cache main, 128 bytes\n");
    BOOST_CHECK_EQUAL(steerctl::cache_show_text(json::parse(R"({"answers":[]})")),
                      "no matching answer in the caches\n");
    BOOST_CHECK_EQUAL(steerctl::cache_show_text(nullptr), "no matching answer in the caches\n");
    BOOST_CHECK_EQUAL(steerctl::cache_done_text(json::parse(R"({"flushed":12,"took_ms":3})")),
                      "12 answers flushed in 3 ms\n");
    BOOST_CHECK_EQUAL(steerctl::cache_done_text(json::parse(R"({"answers":12,"took_ms":3})")),
                      "12 answers written in 3 ms\n");
    const auto stats = steerctl::cache_stats_text(json::parse(
        R"({"caches":[{"name":"main","limit":10,"entries":3,"bytes":576,"hits":30,"misses":10,"stale":2,"inserts":4}]})"));
    BOOST_CHECK(stats.find("main") != std::string::npos);
    BOOST_CHECK(stats.find("576") != std::string::npos);
    BOOST_CHECK(stats.find("75.0 %") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reverse_names_are_written_one_a_line) {
    BOOST_CHECK_EQUAL(
        steerctl::reverse_text(json::parse(
            R"({"address":"192.0.2.1","names":[{"plugin":"a","name":"x.example"},{"plugin":"b"}]})")),
        "x.example\n-\n");
    for (const char* odd : {R"({"names":[]})", "{}", "7", R"({"names":7})"})
        BOOST_CHECK_EQUAL(steerctl::reverse_text(json::parse(odd)),
                          "no name known for this address\n");
    BOOST_CHECK_EQUAL(steerctl::reverse_text(json::parse(R"({"names":[7]})")), "-\n");
}

BOOST_AUTO_TEST_CASE(why_is_written_with_sets_and_rules) {
    BOOST_CHECK_EQUAL(
        steerctl::why_text(json::parse(
            R"({"name":"a.example","sets":["x","y"],"rules":[{"plugin":"domain_set 'x'","says":"in",
            "rule":"domain:example","file":"list.txt","line":7}]})")),
        "sets: x, y\n  domain_set 'x'  in  domain:example  list.txt:7\n");
    for (const char* odd : {R"({"rules":[]})", "{}", "7", R"({"sets":[],"rules":7})"})
        BOOST_CHECK_EQUAL(steerctl::why_text(json::parse(odd)), "sets: none\nno rule matches\n");
}

BOOST_AUTO_TEST_CASE(rules_are_written_one_a_line) {
    BOOST_CHECK_EQUAL(
        steerctl::rules_text(json::parse(
            R"({"tag":"own","rules":[{"rule":"full:a.example","line":2},{"rule":"regexp:^x # y$","line":4},{}]})")),
        "full:a.example\nregexp:^x # y$\n-\n");
    BOOST_CHECK_EQUAL(steerctl::rules_changed_text(
                          json::parse(R"({"added":2,"removed":0,"unchanged":1,"generation":7})")),
                      "2 added, 0 removed, 1 unchanged; active in configuration 7\n");
    BOOST_CHECK_EQUAL(steerctl::rule_sets_text(json::parse(
                          R"({"sets":[{"tag":"own","file":"/f","rules":3,"waiting":0,"trouble":""},
            {"tag":"other","file":"/g","waiting":1,"trouble":"/g cannot be read: no"}]})")),
                      "  set    rules  pending changes  file\n"
                      "  own        3                0  /f\n"
                      "  other      -                1  /g\n"
                      "/g cannot be read: no\n");
    for (const char* odd : {R"({"sets":[],"rules":7})", "{}", "7", R"({"sets":7})"}) {
        BOOST_CHECK_EQUAL(steerctl::rule_sets_text(json::parse(odd)),
                          "the configuration has no dynamic_domain_set\n");
        BOOST_CHECK_EQUAL(steerctl::rules_text(json::parse(odd)), "");
    }
}

// Each of these is an answer, no refusal: steerctl exited with 0.
BOOST_AUTO_TEST_CASE(an_answer_with_done_false_is_a_failure) {
    const auto undone = [](const char* method, const char* answer) {
        return steerctl::not_done(method, json::parse(answer));
    };
    BOOST_CHECK_EQUAL(undone("lists.fetch",
                             R"({"lists":[{"url":"http://a","outcome":"fetched","trouble":""},
                                          {"url":"http://b","outcome":"refused","trouble":"404"}]})"),
                      "1 of 2 lists not fetched; their errors are above");
    BOOST_CHECK_EQUAL(undone("lists", R"({"lists":[{"trouble":"404"}]})"), "");
    BOOST_CHECK_EQUAL(
        undone(
            "routers.reconcile",
            R"({"routers":[{"name":"a","asked":true},{"name":"b","asked":false},{"name":"c"}]})"),
        "rows not read: paused or not in sync: b, c");
    BOOST_CHECK_EQUAL(undone("routers.diff", R"({"routers":[{"name":"a","state":"away"}]})"),
                      "differences unknown: not in sync: a");
    for (const char* odd : {"{}", "7", R"({"lists":7,"routers":{}})"}) {
        for (const char* method : {"lists.fetch", "routers.reconcile", "routers.diff", "status"})
            BOOST_CHECK_EQUAL(undone(method, odd), "");
    }
}

// A second of the daemon's clock may be over a little before ours: no second request for that.
BOOST_AUTO_TEST_CASE(a_trace_of_a_second_is_one_request) {
    using std::chrono::nanoseconds, std::chrono::milliseconds;
    BOOST_CHECK(!steerctl::asks_for_more(nanoseconds(-1), 100));
    BOOST_CHECK(!steerctl::asks_for_more(nanoseconds(900'000), 100));
    BOOST_CHECK(!steerctl::asks_for_more(milliseconds(499), 100));
    BOOST_CHECK(steerctl::asks_for_more(milliseconds(500), 100));
    BOOST_CHECK(steerctl::asks_for_more(milliseconds(500), 1));
    BOOST_CHECK(!steerctl::asks_for_more(milliseconds(500), 0));
}

BOOST_AUTO_TEST_CASE(a_configuration_that_is_not_utf8_has_its_own_bytes) {
    const auto bytes = [](const char* answer) {
        return steerctl::configuration_bytes(json::parse(answer));
    };
    BOOST_CHECK_EQUAL(bytes(R"({"text":"# \\xfc","base64":"IyD8"})"), "# \xfc");
    BOOST_CHECK_EQUAL(bytes(R"({"text":"# a"})"), "# a");
    BOOST_CHECK_EQUAL(bytes("{}"), "");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_not_utf8_is_not_sent) {
    using steerctl::configuration_text_problem;
    BOOST_CHECK_EQUAL(configuration_text_problem("a.yaml", "# caf\u00e9\n# \U0001f600 \xff\n"),
                      "a.yaml:2: the byte 0xff in column 5 is not UTF-8: save the file as UTF-8");
    BOOST_CHECK_EQUAL(configuration_text_problem("-", "\xe9"),
                      "standard input:1: the byte 0xe9 in column 1 is not UTF-8: save the file as "
                      "UTF-8");
    // Too short, too long a form, a surrogate, above the last character.
    for (const char* text : {"\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
        BOOST_CHECK(!configuration_text_problem("a.yaml", text).empty());
    BOOST_CHECK_EQUAL(configuration_text_problem("a.yaml", ""), "");
}

BOOST_AUTO_TEST_SUITE_END()
