// A client's bytes on an HTTP/1.1 and on an HTTP/2 connection (behind a good preface), in two pieces: every query that
// comes of it is one, is answered, and no more is to be sent than was answered; and the same bytes as an upstream's,
// where each request has one end once the client is over.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "control/streams/http/doh_client.h"
#include "control/streams/http/http1_session.h"
#include "control/streams/http/http2_session.h"

using namespace steer;
using namespace steer::stream;

namespace {

using Bytes = std::span<const std::uint8_t>;

struct Queries final : HttpQueryTaker {
    std::vector<std::uint32_t> streams;
    void take_query(std::uint32_t stream, std::size_t, Bytes message, std::string_view) override {
        if (judge_message(message) != HttpStatus::ok) std::abort();
        streams.push_back(stream);
    }
};

struct Replies final : DohReplyTaker {
    unsigned ends = 0;
    void take_reply(std::uint32_t, DohReply& reply) override {
        if (reply.content.size() > kMaxHttpContent) std::abort();
        ++ends;
    }
    void take_failure(std::uint32_t, Retry) override { ++ends; }
    void take_written(std::uint32_t) override {}
};

void drain(auto& side) {
    while (!side.next_output().empty()) {
    }
}

void serve(HttpSession& session, Queries& queries, Bytes data) {
    constexpr std::uint8_t kAnswer[12]{};
    const Bytes pieces[] = {data.first(data.size() / 2), data.subspan(data.size() / 2)};
    std::uint64_t now_ms = 0;
    for (const Bytes piece : pieces) {
        if (!session.wants_input()) break;
        session.receive(piece, now_ms);
        now_ms += kHttpRequestMs / 2;
        drain(session);
        for (const auto stream : std::exchange(queries.streams, {}))
            session.answer(stream, HttpStatus::ok, kAnswer);
        drain(session);
    }
    session.shut_down();
    drain(session);
}

void ask(DohClient& client, Replies& replies, Bytes data) {
    constexpr std::uint8_t kQuery[12]{};
    unsigned asked = 0;
    for (; asked < 2 && client.room() > 0; ++asked)
        client.ask(kQuery);
    drain(client);
    client.receive(data);
    drain(client);
    if (replies.ends > asked || (client.is_over() && replies.ends != asked)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::uint8_t kBegin[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    static const HttpSite kSite{{{"/dns-query"}, {"/", true}}, "x-forwarded-for"};
    static StreamCounters counters;
    Queries queries;
    Http1Session first(kSite, queries, counters);
    serve(first, queries, {data, size});
    queries.streams.clear();
    Http2Session second(kSite, queries, counters, 100);
    second.receive(kBegin, 0);  // with the string's end: the last byte of the frame
    serve(second, queries, {data, size});

    Replies replies;
    DohClient third({"dns.example", "/dns-query"}, "", replies);
    ask(third, replies, {data, size});
    replies.ends = 0;
    DohClient fourth({"dns.example", "/dns-query"}, "h2", replies);
    ask(fourth, replies, {data, size});
    return 0;
}
