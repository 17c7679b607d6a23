// Reports of the doctor: what they show, and when they are too old.
#include "control/observe/health/doctor_reports.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

namespace json = boost::json;
using namespace steer;

namespace {

struct FakeClock : Clock {
    Now now() override { return {ms}; }
    std::uint64_t ms = 1'000'000;
};

struct Setting {
    explicit Setting(bool needs_nat64 = false)
        : reports(clock, needs_nat64, [this](bool is_problem, const std::string& line) {
              news.push_back((is_problem ? "warning " : "info ") + line);
          }) {
        reports.add_methods(methods);
    }
    // Empty: taken; else why not.
    std::string report(json::object params) {
        std::string error;
        methods.call(*methods.find("doctor.report"), params, [&](const ops::RpcResult& result) {
            if (result.has_error()) error = result.error().message;
        });
        return error;
    }
    // The findings of the first router.
    json::array shown() {
        json::array findings;
        methods.call(*methods.find("doctor.report"), nullptr, [&](const ops::RpcResult& result) {
            findings = result.value().at("routers").as_array().at(0).at("findings").as_array();
        });
        return findings;
    }
    std::string metrics() const {
        return ops::metrics_text(
            {[this](ops::MetricWriter& writer) { reports.write_metrics(writer); }},
            ops::MetricsFormat::openmetrics);
    }
    std::string health(bool* ready = nullptr) const {
        ops::HealthChecks checks;
        reports.add_check(checks);
        if (ready != nullptr) *ready = ops::all_good(checks);
        return ops::health_text(checks, true);
    }
    FakeClock clock;
    std::vector<std::string> news;
    DoctorReports reports;
    ops::Methods methods;
};

const json::object kReport{
    {"router", "edge"},
    {"interval_s", 60},
    {"findings",
     {"problem nd-pref64 no PREF64", "advice user-rights too many", "problem ra-none none",
      "note doh known"}},
    {"steps", {"nat64 ok fine", "mark-ipv4 failed no mark", "egress-ipv4 unknown no mark"}}};

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(doctor_reports)

BOOST_AUTO_TEST_CASE(new_and_fixed_findings_are_reported_once) {
    Setting setting;
    using News = std::vector<std::string>;
    const auto news_of = [&](json::object report) {
        setting.news.clear();
        BOOST_TEST(setting.report(std::move(report)) == "");
        return setting.news;
    };
    const json::object quiet{{"router", "edge"}};
    json::object error = quiet;
    error["trouble"] = "no answer";
    json::object other = quiet;
    other["findings"] = {"problem ra-none none", "problem dhcp-off off"};
    BOOST_TEST(news_of(quiet).empty());
    BOOST_TEST((news_of(kReport) ==
                News{"warning doctor: router edge has a new problem, nd-pref64: no PREF64",
                     "warning doctor: router edge has a new advice, user-rights: too many",
                     "warning doctor: router edge has a new problem, ra-none: none"}));
    BOOST_TEST(news_of(kReport).empty());
    BOOST_TEST(
        (news_of(other) == News{"warning doctor: router edge has a new problem, dhcp-off: off",
                                "info doctor: router edge has no problem nd-pref64 any more",
                                "info doctor: router edge has no advice user-rights any more"}));
    BOOST_TEST((news_of(error) == News{"warning doctor: router edge cannot be read: no answer"}));
    BOOST_TEST((news_of(quiet) == News{"info doctor: router edge can be read again"}));
}

BOOST_AUTO_TEST_CASE(without_a_report_nothing_is_shown) {
    const Setting s;
    BOOST_TEST(!has(s.metrics(), "doctor"));
    BOOST_TEST(s.health() == "");
}

BOOST_AUTO_TEST_CASE(a_report_becomes_metrics_and_details) {
    Setting s;
    BOOST_TEST(s.report(kReport) == "");
    s.clock.ms += 5'000;
    const std::string text = s.metrics();
    for (const char* line : {"steerdns_doctor_age_seconds{router=\"edge\"} 5\n",
                             "steerdns_doctor_stale{router=\"edge\"} 0\n",
                             "steerdns_doctor_router_read{router=\"edge\"} 1\n",
                             "steerdns_doctor_findings{router=\"edge\",severity=\"problem\"} 2\n",
                             "steerdns_doctor_findings{router=\"edge\",severity=\"advice\"} 1\n",
                             "steerdns_doctor_findings{router=\"edge\",severity=\"note\"} 1\n",
                             "steerdns_doctor_probe_ok{router=\"edge\",step=\"nat64\"} 1\n",
                             "steerdns_doctor_probe_ok{router=\"edge\",step=\"mark-ipv4\"} 0\n"})
        BOOST_TEST(has(text, line), line << " in " << text);
    BOOST_TEST(!has(text, "egress-ipv4"));
    bool ready = false;
    BOOST_TEST(s.health(&ready) ==
               "doctor ok: edge: problems: nd-pref64, ra-none; advice: user-rights\n");
    BOOST_TEST(ready);
}

BOOST_AUTO_TEST_CASE(remedies_are_shown_with_their_finding) {
    Setting s;
    json::object report = kReport;
    report["remedies"] = {"1 why anybody may log in", "0 do /ipv6 nd set *1 pref64=64:ff9b::/96",
                          "0 do /ipv6 nd print", "0 undo /ipv6 nd set *1 pref64=\"\"",
                          "1 advice make a user with fewer rights"};
    BOOST_TEST(s.report(report) == "");
    const json::array findings = s.shown();
    const json::object& first = findings.at(0).as_object();
    BOOST_TEST(first.at("fix") ==
               (json::array{"/ipv6 nd set *1 pref64=64:ff9b::/96", "/ipv6 nd print"}));
    BOOST_TEST(first.at("undo") == (json::array{"/ipv6 nd set *1 pref64=\"\""}));
    BOOST_TEST(findings.at(1).at("why") == "anybody may log in");
    BOOST_TEST(findings.at(1).at("advice") == "make a user with fewer rights");
    BOOST_TEST(findings.at(1).at("fix") == json::array{});
}

BOOST_AUTO_TEST_CASE(wrong_remedies_are_refused) {
    Setting s;
    const auto refusal = [&](const std::string& remedy) {
        json::object report = kReport;
        report["remedies"] = {remedy};
        return s.report(report);
    };
    for (const char* wrong : {"", "0", "0 do", "0 do ", "4 do x", "-1 do x", "x do y"})
        BOOST_TEST(has(refusal(wrong), "a remedy is `N KIND TEXT`"), wrong);
    BOOST_TEST(has(refusal("0 run x"), "KIND of a remedy"));
    // Not made safe: it would be another command.
    for (const std::string& wrong :
         {std::string("0 do a\nb"), std::string("0 do \x1b[2J"), "0 do " + std::string(2'049, 'x')})
        BOOST_TEST(has(refusal(wrong), "one line of printable text"));
    json::object report = kReport;
    json::array many;
    for (int i = 0; i < 200; ++i)
        many.emplace_back("0 do " + std::string(2'000, 'x'));
    report["remedies"] = many;
    BOOST_TEST(has(s.report(report), "256 KiB"));
    BOOST_TEST(s.health() == "");
}

BOOST_AUTO_TEST_CASE(a_report_is_stale_after_three_intervals) {
    Setting s;
    s.report(kReport);
    s.clock.ms += 180'000;
    BOOST_TEST(has(s.metrics(), "steerdns_doctor_stale{router=\"edge\"} 0\n"));
    s.clock.ms += 1'000;
    BOOST_TEST(has(s.metrics(), "steerdns_doctor_stale{router=\"edge\"} 1\n"));
    BOOST_TEST(has(s.health(), "edge: stale, the last report is 181 s old; problems: "));
    s.report(kReport);
    BOOST_TEST(has(s.metrics(), "steerdns_doctor_stale{router=\"edge\"} 0\n"));
}

BOOST_AUTO_TEST_CASE(a_dead_nat64_makes_it_unready_only_if_that_is_configured_and_fresh) {
    for (const bool needs : {false, true}) {
        Setting s(needs);
        json::object report = kReport;
        report["nat64_dead"] = true;
        s.report(report);
        bool ready = false;
        const std::string text = s.health(&ready);
        BOOST_TEST(ready != needs);
        if (needs)
            BOOST_TEST(
                has(text, "doctor failed: the NAT64 is dead (`ready_nat64`): edge: problems"));
        s.clock.ms += 181'000;
        s.health(&ready);
        BOOST_TEST(ready);
    }
}

BOOST_AUTO_TEST_CASE(wrong_reports_are_refused_and_change_nothing) {
    Setting s;
    for (const char* wrong :
         {"", "problem", "fatal nd-dns x", "problem ND x", "problem nd\"dns x", " a b"})
        BOOST_TEST(has(s.report({{"router", "edge"}, {"findings", {wrong}}}), "a finding is"));
    for (const char* wrong : {"nat64", "nat64 perhaps x", "{} ok x"})
        BOOST_TEST(has(s.report({{"router", "edge"}, {"steps", {wrong}}}), "a step is"));
    BOOST_TEST(s.report({{"router", "edge"}, {"interval_s", 0}}) != "");
    json::array many;
    for (int i = 0; i < 257; ++i)
        many.emplace_back("problem nd-dns x");
    BOOST_TEST(has(s.report({{"router", "edge"}, {"findings", many}}), "at most 256"));
    BOOST_TEST(s.health() == "");
    for (int i = 0; i < 64; ++i)
        BOOST_TEST(s.report({{"router", "r" + std::to_string(i)}}) == "");
    BOOST_TEST(has(s.report({{"router", "r64"}}), "64 routers"));
    BOOST_TEST(s.report({{"router", "r1"}}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
