// OpenMetrics text, its escapes, workers' counters in it, and the HTTP server that hands it out.
#include "control/api/metrics/metrics.h"
#include "control/observe/lists/list_reports.h"

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <charconv>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics_server.h"
#include "control/api/metrics/process_facts.h"
#include "control/api/metrics/query_metrics.h"
#include "control/api/metrics/worker_counters.h"

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ops = steer::ops;
using asio::ip::tcp;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string text_of(const ops::MetricSource& source) {
    return ops::metrics_text({source}, ops::MetricsFormat::openmetrics);
}

// The sum of a family's samples.
std::uint64_t sum_of(const std::string& text, const std::string& samples) {
    std::uint64_t sum = 0;
    for (const auto& line : lines_of(text)) {
        if (!line.starts_with(samples + "{") && !line.starts_with(samples + " ")) continue;
        sum += std::stoull(line.substr(line.rfind(' ') + 1));
    }
    return sum;
}

struct HttpSide {
    explicit HttpSide(ops::HttpContent content)
        : http(io, std::move(content)), work(io.get_executor()) {
        listening = http.listen(*steer::IpAddress::parse("127.0.0.1"), 0);
        thread = std::thread([this] { io.run(); });
    }
    ~HttpSide() {
        asio::post(io, [this] { http.close(); });
        work.reset();
        thread.join();
    }
    asio::io_context io;
    ops::MetricsServer http;
    asio::executor_work_guard<asio::io_context::executor_type> work;
    steer::Result<void> listening;
    std::thread thread;
};

struct HttpClient {
    explicit HttpClient(const HttpSide& server) : socket(io) {
        socket.connect({asio::ip::address_v4::loopback(), server.http.port()});
    }
    http::response<http::string_body> ask(const std::string& request, bool head = false) {
        asio::write(socket, asio::buffer(request));
        http::response_parser<http::string_body> parser;
        parser.skip(head);
        http::read(socket, buffer, parser);
        return parser.release();
    }
    http::response<http::string_body> get(const std::string& target) {
        return ask("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    bool closed() {
        char byte = 0;
        boost::system::error_code error;
        asio::read(socket, asio::buffer(&byte, 1), error);
        return error == asio::error::eof || error == asio::error::connection_reset;
    }
    asio::io_context io;
    tcp::socket socket;
    boost::beast::flat_buffer buffer;
};

ops::HttpContent one_gauge() {
    ops::HttpContent content;
    content.metrics.emplace_back([](ops::MetricWriter& w) {
        w.gauge("steerdns_lists", "Lists.");
        w.sample({}, std::uint64_t{3});
    });
    return content;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(each_family_has_type_and_help_and_the_text_ends_with_eof) {
    const auto text = text_of([](ops::MetricWriter& w) {
        w.counter("steerdns_x", "What x is.");
        w.sample({{"worker", "0"}, {"end", "answered"}}, std::uint64_t{7});
        w.gauge("steerdns_y", "Y.");
        w.sample({}, 0.25);
        w.gauge("steerdns_z", "Nothing to show.");
    });
    BOOST_CHECK_EQUAL(text,
                      "# HELP steerdns_x What x is.\n# TYPE steerdns_x counter\n"
                      "steerdns_x_total{worker=\"0\",end=\"answered\"} 7\n"
                      "# HELP steerdns_y Y.\n# TYPE steerdns_y gauge\nsteerdns_y 0.25\n# EOF\n");
    BOOST_CHECK_EQUAL(ops::metrics_text({}, ops::MetricsFormat::openmetrics), "# EOF\n");
}

BOOST_AUTO_TEST_CASE(prometheus_text_names_a_counter_by_its_samples) {
    const ops::MetricSource source = [](ops::MetricWriter& w) {
        w.counter("steerdns_x", "a \"b\" \\ c");
        w.sample({{"name", "a\"b"}}, std::uint64_t{7});
        w.histogram("steerdns_y_seconds", "Y.");
        constexpr std::array<std::uint32_t, 2> bounds{5, 1000};
        constexpr std::array<std::uint64_t, 3> counts{1, 2, 3};
        w.latencies({}, bounds, counts, 1.5);
    };
    BOOST_CHECK_EQUAL(ops::metrics_text({source}, ops::MetricsFormat::prometheus),
                      "# HELP steerdns_x_total a \"b\" \\\\ c\n# TYPE steerdns_x_total counter\n"
                      "steerdns_x_total{name=\"a\\\"b\"} 7\n"
                      "# HELP steerdns_y_seconds Y.\n# TYPE steerdns_y_seconds histogram\n"
                      "steerdns_y_seconds_bucket{le=\"0.005\"} 1\n"
                      "steerdns_y_seconds_bucket{le=\"1.0\"} 3\n"
                      "steerdns_y_seconds_bucket{le=\"+Inf\"} 6\n"
                      "steerdns_y_seconds_count 6\nsteerdns_y_seconds_sum 1.5\n");
}

BOOST_AUTO_TEST_CASE(the_format_is_what_accept_prefers) {
    using Format = ops::MetricsFormat;
    constexpr std::pair<std::string_view, Format> kCases[] = {
        {"", Format::prometheus},
        {"*/*", Format::prometheus},
        {"text/plain", Format::prometheus},
        {"application/json", Format::prometheus},
        {"application/openmetrics-text", Format::openmetrics},
        {"APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\"", Format::openmetrics},
        // Prometheus 2.42, and 3.
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
         "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         Format::openmetrics},
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
         "text/plain;version=0.0.4;q=0.7,*/*;q=0.1",
         Format::prometheus},
        {"application/openmetrics-text;version=0.0.1", Format::prometheus},
        {"application/openmetrics-text;q=0", Format::prometheus},
        {"application/openmetrics-text;q=x", Format::prometheus},
        {"text/plain;q=0.9, application/openmetrics-text;q=0.900", Format::openmetrics},
        {",;,=;q=,\x01;q=9e99,application/openmetrics-text;q=", Format::prometheus},
    };
    for (const auto& [accept, format] : kCases)
        BOOST_CHECK_MESSAGE(ops::metrics_format(accept) == format, accept);
}

BOOST_AUTO_TEST_CASE(labels_and_help_are_escaped) {
    const auto text = text_of([](ops::MetricWriter& w) {
        w.gauge("steerdns_x", "a \"b\"\nc\\d");
        w.sample({{"name", "q\"u\\o\nt"}}, std::uint64_t{1});
    });
    BOOST_CHECK(text.find("# HELP steerdns_x a \\\"b\\\"\\nc\\\\d\n") != std::string::npos);
    BOOST_CHECK(text.find("{name=\"q\\\"u\\\\o\\nt\"} 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(control_characters_in_labels_are_escaped) {
    const auto text = text_of([](ops::MetricWriter& w) {
        w.gauge("steerdns_x", "x");
        w.sample({{"version", "7\r\n\x1b[2J\xff"}}, std::uint64_t{1});
    });
    BOOST_CHECK(text.find("{version=\"7\\\\x0d\\n\\\\x1b[2J\\\\xff\"} 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_family_begun_twice_stays_together) {
    const ops::MetricSource source = [](ops::MetricWriter& w) {
        w.counter("steerdns_a", "A.");
        w.sample({{"n", "1"}}, std::uint64_t{1});
        w.counter("steerdns_b", "B.");
        w.sample({}, std::uint64_t{2});
    };
    const auto lines =
        lines_of(ops::metrics_text({source, source}, ops::MetricsFormat::openmetrics));
    BOOST_REQUIRE_EQUAL(lines.size(), 9U);
    BOOST_CHECK_EQUAL(lines[2], lines[3]);
    BOOST_CHECK_EQUAL(lines[4], "# HELP steerdns_b B.");
}

BOOST_AUTO_TEST_CASE(special_numbers_are_written_as_openmetrics_defines) {
    const auto text = text_of([](ops::MetricWriter& w) {
        w.gauge("g", "G.");
        w.sample({}, std::numeric_limits<double>::quiet_NaN());
        w.sample({}, std::numeric_limits<double>::infinity());
        w.sample({}, -std::numeric_limits<double>::infinity());
        w.sample({}, std::numeric_limits<std::uint64_t>::max());
        w.sample({}, 1e300);
    });
    BOOST_CHECK(text.find("g NaN\ng +Inf\ng -Inf\ng 18446744073709551615\ng 1e+300\n") !=
                std::string::npos);
}

BOOST_AUTO_TEST_CASE(collectors_with_the_same_name_are_summed) {
    const auto collector = std::make_shared<steer::Collector>("all", 3);
    collector->of_worker(0).entered.add(3);
    collector->of_worker(2).entered.add();
    collector->of_worker(0).leave(false, 1);
    collector->of_worker(0).leave(true, 30);
    collector->of_worker(2).leave(false, 70'000);
    const auto text = text_of([&](ops::MetricWriter& w) {
        steer::write_collector_metrics(w, {collector, collector});
    });
    BOOST_CHECK_EQUAL(
        text,
        "# HELP steerdns_collector_queries queries that passed a metrics_collector\n"
        "# TYPE steerdns_collector_queries counter\n"
        "steerdns_collector_queries_total{name=\"all\"} 4\n"
        "# HELP steerdns_collector_errors queries that ended with SERVFAIL or without "
        "a response\n"
        "# TYPE steerdns_collector_errors counter\n"
        "steerdns_collector_errors_total{name=\"all\"} 1\n"
        "# HELP steerdns_collector_inflight queries in progress\n"
        "# TYPE steerdns_collector_inflight gauge\n"
        "steerdns_collector_inflight{name=\"all\"} 1\n"
        "# HELP steerdns_collector_latency_seconds duration of the queries\n"
        "# TYPE steerdns_collector_latency_seconds histogram\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.001\"} 1\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.002\"} 1\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.005\"} 1\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.01\"} 1\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.02\"} 1\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.05\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.1\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.2\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"0.5\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"1.0\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"2.0\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"5.0\"} 2\n"
        "steerdns_collector_latency_seconds_bucket{name=\"all\",le=\"+Inf\"} 3\n"
        "steerdns_collector_latency_seconds_count{name=\"all\"} 3\n"
        "steerdns_collector_latency_seconds_sum{name=\"all\"} 70.031\n"
        "# EOF\n");
}

BOOST_AUTO_TEST_CASE(every_counter_has_a_metric_and_sums_agree) {
    std::array<steer::Counters, 2> counters;
    std::uint64_t packets = 0;
    for (unsigned worker = 0; worker < counters.size(); ++worker) {
        for (unsigned v = 0; v < static_cast<unsigned>(steer::Verdict::count_); ++v) {
            counters[worker].add(static_cast<steer::Verdict>(v), v + worker);
            packets += v + worker;
        }
        counters[worker].add(steer::Stat::rx_packets, 5);
        counters[worker].add(steer::PendingOutcome::servfail, 9);
    }
    const auto text = text_of([&](ops::MetricWriter& w) {
        for (unsigned worker = 0; worker < counters.size(); ++worker) {
            ops::write_counters(w, worker, counters[worker]);
        }
    });
    BOOST_CHECK_EQUAL(sum_of(text, "steerdns_verdicts_total"), packets);
    BOOST_CHECK_EQUAL(sum_of(text, "steerdns_rx_packets_total"), 10U);
    BOOST_CHECK_EQUAL(sum_of(text, "steerdns_pending_outcomes_total"), 18U);
    BOOST_CHECK(text.find("steerdns_pending_outcomes_total{worker=\"1\",end=\"servfail\"} 9\n") !=
                std::string::npos);
    for (const auto& verdict : steer::kVerdicts) {
        BOOST_CHECK(text.find("verdict=\"" + std::string(verdict.label) + "\"") !=
                    std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(the_text_is_valid_openmetrics) {
    const steer::Counters counters;
    const auto text = text_of([&](ops::MetricWriter& w) { ops::write_counters(w, 0, counters); });
    std::set<std::string> families, samples;
    std::string family;
    for (const auto& line : lines_of(text)) {
        if (line.starts_with("# TYPE ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            BOOST_CHECK_MESSAGE(families.insert(family).second, "twice: " + family);
            BOOST_CHECK_MESSAGE(!family.ends_with("_total"), family);
        } else if (!line.starts_with("#")) {
            BOOST_CHECK_MESSAGE(line.starts_with(family + "_total{"), line);
            BOOST_CHECK_MESSAGE(samples.insert(line.substr(0, line.rfind(' '))).second, line);
        }
    }
    BOOST_CHECK(text.ends_with("# EOF\n"));
}

BOOST_AUTO_TEST_CASE(counters_are_written_as_json) {
    steer::Counters counters;
    counters.add(steer::Verdict::answered, 4);
    counters.add(steer::Stat::cache_hits, 3);
    const auto object = ops::counters_to_json(counters);
    BOOST_CHECK_EQUAL(object.at("verdicts").at("answered").as_uint64(), 4U);
    BOOST_CHECK_EQUAL(object.at("stats").at("cache_hits").as_uint64(), 3U);
    BOOST_CHECK_EQUAL(object.at("moved").as_object().size(), steer::kMovedEnds.size());
    BOOST_CHECK_EQUAL(object.at("injected").as_object().size(), steer::kInjectedEnds.size());
    BOOST_CHECK_EQUAL(object.at("pending_outcomes").as_object().size(),
                      steer::kPendingOutcomes.size());
}

BOOST_AUTO_TEST_CASE(queries_are_counted_by_transport_type_rcode_and_time) {
    steer::QueryCounters q;
    q.received(steer::ClientTransport::dot, 5);
    q.ends[steer::dns::type_row_of(steer::dns::counted_as(28)) + 3].add(2);  // AAAA, NXDOMAIN
    q.ends[steer::dns::type_row_of(steer::dns::counted_as(28)) + steer::dns::kNoReplyColumn].add();
    q.ends[steer::dns::type_row_of(steer::dns::counted_as(999)) + steer::dns::kBadVersColumn].add();
    q.of(steer::LatencyPath::cache).add(10, 3);
    q.of(steer::LatencyPath::cache).add(11);
    q.of(steer::LatencyPath::cache).add(20'000'000);
    q.busy_cycles.add(3'000'000'000);
    const auto text =
        text_of([&](ops::MetricWriter& w) { ops::write_query_counters(w, 1, q, 2e9); });
    for (const char* const line :
         {"steerdns_queries_total{worker=\"1\",transport=\"dot\"} 5\n",
          "steerdns_query_types_total{worker=\"1\",type=\"AAAA\"} 3\n",
          "steerdns_query_types_total{worker=\"1\",type=\"other\"} 1\n",
          "steerdns_answer_rcodes_total{worker=\"1\",rcode=\"NXDOMAIN\"} 2\n",
          "steerdns_answer_rcodes_total{worker=\"1\",rcode=\"BADVERS\"} 1\n",
          "steerdns_answer_rcodes_total{worker=\"1\",rcode=\"NOERROR\"} 0\n",
          "steerdns_answer_seconds_bucket{worker=\"1\",path=\"cache\",le=\"1e-05\"} 3\n",
          "steerdns_answer_seconds_bucket{worker=\"1\",path=\"cache\",le=\"3e-05\"} 4\n",
          "steerdns_answer_seconds_bucket{worker=\"1\",path=\"cache\",le=\"10.0\"} 4\n",
          "steerdns_answer_seconds_bucket{worker=\"1\",path=\"cache\",le=\"+Inf\"} 5\n",
          "steerdns_answer_seconds_count{worker=\"1\",path=\"cache\"} 5\n",
          "steerdns_answer_seconds_sum{worker=\"1\",path=\"cache\"} 20.000041\n",
          "steerdns_worker_busy_seconds_total{worker=\"1\"} 1.5\n"})
        BOOST_CHECK_MESSAGE(text.find(line) != std::string::npos, line << text);
    BOOST_CHECK(text.find("NOTAUTH") == std::string::npos);

    boost::json::object worker;
    ops::add_query_counters(worker, q, 2e9);
    std::string transports;
    for (const steer::TransportRow& row : steer::kClientTransports) {
        transports.append(transports.empty() ? "" : ",").append("\"").append(row.label);
        transports.append(row.label == "dot" ? "\":5" : "\":0");
    }
    BOOST_CHECK_EQUAL(
        boost::json::serialize(worker),
        R"({"queries_by_transport":{)" + transports + "}," +
            R"("queries_by_type":{"AAAA":3,"other":1},"answers_by_rcode":{"NXDOMAIN":2,"BADVERS":1},)"
            R"("answer_us_cache":{"to_10":3,"to_30":1,"more":1,"answers":5,"sum":20000041},)"
            R"("answer_us_stale":{"answers":0,"sum":0},"answer_us_local":{"answers":0,"sum":0},)"
            R"("answer_us_forwarded":{"answers":0,"sum":0},"answer_us_held":{"answers":0,"sum":0},)"
            R"("time_us":{"busy":1500000}})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(metrics_and_health_are_served_on_one_connection) {
    std::string error;
    auto content = one_gauge();
    content.live = [] { return ops::HealthChecks{{"workers"}}; };
    content.ready = [&error] { return ops::HealthChecks{{"ports"}, {"upstreams", error}}; };
    HttpSide server(std::move(content));
    BOOST_REQUIRE(server.listening);
    HttpClient client(server);
    const auto metrics = client.get("/metrics?x=1");
    BOOST_CHECK_EQUAL(metrics.result_int(), 200U);
    BOOST_CHECK_EQUAL(metrics[http::field::content_type],
                      "text/plain; version=0.0.4; charset=utf-8");
    BOOST_CHECK_EQUAL(metrics[http::field::vary], "Accept");
    BOOST_CHECK(metrics.body().ends_with("steerdns_lists 3\n"));
    const auto open = client.ask(
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n");
    BOOST_CHECK_EQUAL(open[http::field::content_type],
                      "application/openmetrics-text; version=1.0.0; charset=utf-8");
    BOOST_CHECK(open.body().ends_with("steerdns_lists 3\n# EOF\n"));
    for (const char* const path : {"/livez", "/readyz", "/healthz", "/healthz?verbos"})
        BOOST_CHECK_EQUAL(client.get(path).body(), "ok\n");
    BOOST_CHECK_EQUAL(client.get("/readyz?verbose").body(), "ports ok\nupstreams ok\n");
    error = "no upstream of forward 'main' answers";
    for (const char* const path : {"/readyz", "/healthz"}) {
        const auto ill = client.get(path);
        BOOST_CHECK_EQUAL(ill.result_int(), 503U);
        BOOST_CHECK_EQUAL(ill.body(), "upstreams failed: no upstream of forward 'main' answers\n");
        BOOST_CHECK_EQUAL(ill[http::field::cache_control], "no-store");
    }
    const auto all = client.get("/readyz?x=1&verbose=1");
    BOOST_CHECK_EQUAL(all.result_int(), 503U);
    BOOST_CHECK_EQUAL(all.body(),
                      "ports ok\nupstreams failed: no upstream of forward 'main' answers\n");
    BOOST_CHECK_EQUAL(client.get("/livez?verbose").body(), "workers ok\n");
}

// Before, connection 65 and all after it were closed for as long as 64 slow ones took: up to 15 s.
BOOST_AUTO_TEST_CASE(slow_clients_do_not_block_others) {
    HttpSide server(one_gauge());
    std::vector<std::unique_ptr<HttpClient>> slow;
    for (std::size_t i = 0; i < ops::kMetricsSessions + 16; ++i) {
        slow.push_back(std::make_unique<HttpClient>(server));
        asio::write(slow.back()->socket, asio::buffer(std::string_view("GET /metr")));
    }
    HttpClient honest(server);
    BOOST_CHECK_EQUAL(honest.get("/metrics").result_int(), 200U);
    BOOST_CHECK(slow.front()->closed());
    // The one that has just been served is not the next to go.
    for (std::size_t i = 0; i + 1 < ops::kMetricsSessions; ++i)
        slow.push_back(std::make_unique<HttpClient>(server));
    BOOST_CHECK_EQUAL(honest.get("/metrics").result_int(), 200U);
}

BOOST_AUTO_TEST_CASE(head_has_the_length_and_no_body) {
    HttpSide server(one_gauge());
    HttpClient client(server);
    const auto head = client.ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true);
    BOOST_CHECK_EQUAL(head.result_int(), 200U);
    BOOST_CHECK_EQUAL(head[http::field::content_length],
                      std::to_string(client.get("/metrics").body().size()));
}

BOOST_AUTO_TEST_CASE(other_paths_and_methods_get_404_and_405) {
    HttpSide server(one_gauge());
    HttpClient client(server);
    BOOST_CHECK_EQUAL(client.get("/").result_int(), 404U);
    BOOST_CHECK_EQUAL(client.get("/metricsx").result_int(), 404U);
    const auto post =
        client.ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
    BOOST_CHECK_EQUAL(post.result_int(), 405U);
    BOOST_CHECK_EQUAL(post[http::field::allow], "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(connection_close_is_obeyed) {
    HttpSide server(one_gauge());
    HttpClient client(server);
    client.ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    BOOST_CHECK(client.closed());
    HttpClient old(server);
    BOOST_CHECK_EQUAL(old.ask("GET /healthz HTTP/1.0\r\n\r\n").body(), "ok\n");
    BOOST_CHECK(old.closed());
}

BOOST_AUTO_TEST_CASE(bad_requests_are_answered_and_closed) {
    HttpSide server(one_gauge());
    const auto status = [&server](const std::string& request) {
        HttpClient client(server);
        const auto code = client.ask(request).result_int();
        BOOST_CHECK(client.closed());
        return code;
    };
    BOOST_CHECK_EQUAL(status("nonsense\r\n\r\n"), 400U);
    BOOST_CHECK_EQUAL(status("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), 431U);
    BOOST_CHECK_EQUAL(status("POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"), 413U);
    BOOST_CHECK_EQUAL(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), 411U);
    for (const char* coding : {"xchunked", "gzip, chunked", "chunked, gzip", "identity"}) {
        BOOST_TEST_CONTEXT(coding)
        BOOST_CHECK_EQUAL(status("POST / HTTP/1.1\r\nTransfer-Encoding: " + std::string(coding) +
                                 "\r\nContent-Length: 1\r\n\r\nx"),
                          400U);
    }
    HttpClient still(server);
    BOOST_CHECK_EQUAL(still.get("/healthz").result_int(), 200U);
}

BOOST_AUTO_TEST_CASE(content_is_limited_on_each_request_of_a_connection) {
    const auto post = [](std::size_t bytes) {
        return "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) +
               "\r\n\r\n" + std::string(bytes, 'x');
    };
    HttpSide server(one_gauge());
    HttpClient client(server);
    BOOST_CHECK_EQUAL(client.get("/metrics").result_int(), 200U);
    BOOST_CHECK_EQUAL(client.ask(post(1024)).result_int(), 405U);
    BOOST_CHECK_EQUAL(client.ask(post(1025)).result_int(), 413U);
    BOOST_CHECK(client.closed());
    // The client has the answer though it sent more than is read.
    HttpClient long_one(server);
    BOOST_CHECK_EQUAL(long_one.ask(post(200'000)).result_int(), 413U);
}

// What the answers use may have ended by then.
BOOST_AUTO_TEST_CASE(a_closed_server_answers_no_request_that_it_has_read) {
    HttpSide* side = nullptr;
    unsigned answers = 0;
    auto content = one_gauge();
    content.live = [&] {
        ++answers;
        asio::post(side->io, [side] { side->http.close(); });
        return ops::HealthChecks{};
    };
    {
        HttpSide server(std::move(content));
        side = &server;
        HttpClient client(server);
        const std::string request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
        BOOST_CHECK_EQUAL(client.ask(request + request + request).body(), "ok\n");
        BOOST_CHECK(client.closed());
    }
    BOOST_CHECK_EQUAL(answers, 1U);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_an_error) {
    HttpSide server(one_gauge());
    asio::io_context io;
    ops::MetricsServer second(io, one_gauge());
    const auto refused = second.listen(*steer::IpAddress::parse("127.0.0.1"), server.http.port());
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().text.find("control.http") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(metrics_of_the_process_are_plausible) {
    const ops::ProcessFacts before = ops::process_facts();
    BOOST_TEST(before.pid == ::getpid());
    BOOST_TEST(before.threads >= 1U);
    BOOST_TEST(before.most_files > 0U);
    const double now_s = static_cast<double>(std::time(nullptr));
    BOOST_TEST(before.started_s > now_s - 3600);
    BOOST_TEST(before.started_s <= now_s + 1);
    BOOST_REQUIRE(before.open_files.has_value());
    const int more = ::dup(0);
    std::vector<char> memory(std::size_t{64} << 20, 'x');
    const ops::ProcessFacts after = ops::process_facts();
    BOOST_TEST(*after.open_files == *before.open_files + 1);
    BOOST_TEST(after.resident_bytes >= before.resident_bytes + memory.size() / 2);
    BOOST_TEST(after.cpu_s >= before.cpu_s);
    ::close(more);
}

BOOST_AUTO_TEST_SUITE_END()
