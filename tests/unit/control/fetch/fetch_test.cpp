// One request: what comes, what is refused, and every limit. (TLS: tests/e2e/fetch_e2e.py.)
#include "control/streams/fetch/fetch.h"

#include <boost/test/unit_test.hpp>
#include <future>

#include "one_server.h"
#include "outcome.h"
#include "packed.h"

using namespace steer::fetch;
using namespace steer::fetch_test;
using steer::Error;
using steer::Result;

BOOST_AUTO_TEST_SUITE(fetching)

namespace {

struct Run {
    Response response;
    std::string body;
};

Run run(Request request, const std::stop_token& stop = {}) {
    Run out;
    out.response = fetch(
        request,
        [&out](std::span<const std::uint8_t> bytes) -> Result<void> {
            out.body.append(bytes.begin(), bytes.end());
            return {};
        },
        stop);
    return out;
}

Request to(const std::string& url) {
    return {.url = *steer::config::parse_url(url)};
}

Run get(const OneServer& server) {
    return run(to(server.url()));
}

OneServer says(std::string bytes) {
    return OneServer(
        [bytes = std::move(bytes)](const std::string&) { return OneServer::Reply{bytes}; });
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_is_fetched_with_its_etag_and_date) {
    OneServer server([](const std::string&) {
        return OneServer::Reply{ok("one.example\n", "ETag: \"v1\"\r\nLast-Modified: now\r\n")};
    });
    const Run done = get(server);
    BOOST_TEST((done.response.outcome == Outcome::fetched), done.response.why);
    BOOST_TEST(done.body == "one.example\n");
    BOOST_TEST(done.response.bytes == 12U);
    BOOST_TEST(done.response.etag == "\"v1\"");
    BOOST_TEST(done.response.last_modified == "now");
    const auto requests = server.requests();
    BOOST_TEST_REQUIRE(requests.size() == 1U);
    BOOST_TEST(requests[0].starts_with("GET /list.txt HTTP/1.1\r\n"));
    BOOST_TEST(requests[0].find("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n") !=
               std::string::npos);
    BOOST_TEST(requests[0].find("\r\nAccept-Encoding: gzip\r\n") != std::string::npos);
    BOOST_TEST(requests[0].find("If-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unchanged_file_is_answered_with_304) {
    OneServer server([](const std::string& request) {
        const bool known = request.find("\r\nIf-None-Match: \"v1\"\r\n") != std::string::npos &&
                           request.find("\r\nIf-Modified-Since: then\r\n") != std::string::npos;
        return OneServer::Reply{known ? "HTTP/1.1 304 Not Modified\r\n\r\n" : ok("x")};
    });
    Request request = to(server.url());
    request.etag = "\"v1\"";
    request.last_modified = "then";
    const Run done = run(request);
    BOOST_TEST((done.response.outcome == Outcome::unchanged), done.response.why);
    BOOST_TEST(done.body.empty());
    // The request had no condition.
    const OneServer odd = says("HTTP/1.1 304 Not Modified\r\n\r\n");
    BOOST_TEST((get(odd).response.outcome == Outcome::refused));
}

BOOST_AUTO_TEST_CASE(compressed_content_is_decompressed) {
    const std::string list(100'000, 'x');
    const std::string body = text_of(packed(list));
    const OneServer server = says(ok(body, "Content-Encoding: gzip\r\n"));
    const Run done = get(server);
    BOOST_TEST((done.response.outcome == Outcome::fetched), done.response.why);
    BOOST_TEST((done.body == list));
    const OneServer torn = says(ok(body.substr(0, body.size() - 9), "Content-Encoding: gzip\r\n"));
    BOOST_TEST((get(torn).response.outcome == Outcome::cut_off));
    const OneServer lie = says(ok(list, "Content-Encoding: gzip\r\n"));
    BOOST_TEST((get(lie).response.outcome == Outcome::damaged));
    const OneServer foreign = says(ok(list, "Content-Encoding: br\r\n"));
    BOOST_TEST((get(foreign).response.outcome == Outcome::damaged));
}

BOOST_AUTO_TEST_CASE(content_above_the_maximum_is_refused) {
    const auto limited = [](const OneServer& server) {
        Request request = to(server.url());
        request.max_bytes = 1'000;
        const Run done = run(request);
        BOOST_TEST(done.body.size() <= 1'000U);
        return done.response.outcome;
    };
    const OneServer honest = says(ok(std::string(1'001, 'x')));
    BOOST_TEST((limited(honest) == Outcome::too_large));
    const OneServer endless = says("HTTP/1.1 200 OK\r\n\r\n" + std::string(300'000, 'x'));
    BOOST_TEST((limited(endless) == Outcome::too_large));
    const OneServer bomb =
        says(ok(text_of(packed(std::string(800'000, 'x'))), "Content-Encoding: gzip\r\n"));
    BOOST_TEST((limited(bomb) == Outcome::too_large));
    const OneServer just = says(ok(std::string(1'000, 'x')));
    BOOST_TEST((limited(just) == Outcome::fetched));
    const OneServer head = says("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    BOOST_TEST((!is_good(limited(head))));
}

BOOST_AUTO_TEST_CASE(truncated_content_is_refused) {
    const OneServer length = says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none.example\n");
    BOOST_TEST((get(length).response.outcome == Outcome::cut_off));
    const OneServer chunked =
        says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
    BOOST_TEST((get(chunked).response.outcome == Outcome::cut_off));
    const OneServer whole =
        says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
    const Run done = get(whole);
    BOOST_TEST((done.response.outcome == Outcome::fetched), done.response.why);
    BOOST_TEST(done.body == "abcde");
    const OneServer mute = says("");
    BOOST_TEST((get(mute).response.outcome == Outcome::unreachable));
    const OneServer other = says("220 mail.example ESMTP\r\n");
    BOOST_TEST((get(other).response.outcome == Outcome::unreachable));
}

BOOST_AUTO_TEST_CASE(a_fetch_over_its_time_ends) {
    OneServer server([](const std::string&) {
        return OneServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none", true};
    });
    Request request = to(server.url());
    request.timeout = std::chrono::milliseconds(100);
    const Run done = run(request);
    BOOST_TEST((done.response.outcome == Outcome::too_slow), done.response.why);
}

BOOST_AUTO_TEST_CASE(a_fetch_ends_when_it_is_stopped) {
    std::promise<void> there;
    OneServer server([&there](const std::string&) {
        there.set_value();
        return OneServer::Reply{"HTTP/1.1 200 OK\r\n", true};
    });
    std::stop_source stop;
    std::thread stopper([&] {
        there.get_future().wait();
        stop.request_stop();
    });
    const Run done = run(to(server.url()), stop.get_token());
    stopper.join();
    BOOST_TEST((done.response.outcome == Outcome::stopped));
    BOOST_TEST((run(to(server.url()), stop.get_token()).response.outcome == Outcome::stopped));
}

BOOST_AUTO_TEST_CASE(up_to_five_redirects_are_followed) {
    const auto leads = [](const std::string& location) {
        return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n";
    };
    OneServer server([&](const std::string& request) {
        const char last = request[request.find(' ', 4) - 1];  // "GET /3 "
        const std::string next =
            last == '0' ? "" : "/" + std::string(1, static_cast<char>(last - 1));
        return OneServer::Reply{last == '0' ? ok("there\n") : leads(next)};
    });
    const Run five = run(to(server.url("/5")));
    BOOST_TEST((five.response.outcome == Outcome::fetched), five.response.why);
    BOOST_TEST(five.body == "there\n");
    BOOST_TEST((run(to(server.url("/6"))).response.outcome == Outcome::refused));
    const OneServer nowhere = says(leads(""));
    BOOST_TEST((get(nowhere).response.outcome == Outcome::refused));
    const OneServer astray = says(leads("file:///etc/passwd"));
    BOOST_TEST((get(astray).response.outcome == Outcome::refused));
    const OneServer error = says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    const Run none = get(error);
    BOOST_TEST((none.response.outcome == Outcome::refused));
    BOOST_TEST(none.response.why.ends_with(" answers 404 \"Not Found\""), none.response.why);
    const OneServer wordy = says("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    const std::string too_long = get(wordy).response.why;
    BOOST_TEST(too_long.ends_with("HTTP/1.1: a head of more than 32768 bytes"), too_long);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_listen_is_unreachable) {
    std::string url;
    {
        const OneServer server = says("");
        url = server.url();
    }
    BOOST_TEST((run(to(url)).response.outcome == Outcome::unreachable));
}

// Our upstreams are asked, one after the other.
BOOST_AUTO_TEST_CASE(names_are_resolved_by_the_given_resolvers_in_order) {
    using Says = OneResolver::Says;
    const OneServer server = says(ok("x"));
    const OneResolver good(Says::address), broken(Says::failure), long_one(Says::truncated),
        none(Says::no_such_name);
    const auto by = [&](std::initializer_list<const OneResolver*> resolvers) {
        Request request = to(server.url("/", "lists.example"));
        for (const auto* resolver : resolvers)
            request.resolvers.push_back({*steer::IpAddress::parse("127.0.0.1"), resolver->port()});
        return run(request).response;
    };
    BOOST_TEST((by({&good}).outcome == Outcome::fetched));
    BOOST_TEST(good.asked() == 2U);  // A and AAAA
    BOOST_TEST((by({&broken, &good}).outcome == Outcome::fetched));
    BOOST_TEST(broken.asked() == 1U);
    BOOST_TEST((by({&long_one}).outcome == Outcome::fetched));
    BOOST_TEST(long_one.asked_by_tcp() == 2U);
    const auto unknown = by({&none, &good});
    BOOST_TEST((unknown.outcome == Outcome::no_name));
    BOOST_TEST(good.asked() == 4U, "who says that there is no such name is believed");
    BOOST_TEST(!unknown.by_system_resolver);
}

// What is written nowhere is no success.
BOOST_AUTO_TEST_CASE(an_error_of_the_receiver_ends_the_fetch) {
    const OneServer server = says(ok("x"));
    const auto response =
        fetch(to(server.url()), [](auto) -> Result<void> { return Error{"the disk is full"}; }, {});
    BOOST_TEST((response.outcome == Outcome::not_kept));
    BOOST_TEST(response.why == "the disk is full");
}

BOOST_AUTO_TEST_SUITE_END()
