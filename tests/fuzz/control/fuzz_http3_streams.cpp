// What a client of DNS over HTTP/3 does with its streams: frames, heads (QPACK), ends, resets; and
// answers, blocked streams and acknowledgements in between. The rules of a connection hold: streams
// begin in order, and what was not sent is not acknowledged. Each query is answered once at most.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "../require.h"
#include "control/streams/quic/http3_streams.h"
#include "fuzz_input.h"
#include "fuzz_stream_control.h"

namespace {

using namespace steer;
using namespace steer::quic;
using fuzz::Input;

std::shared_ptr<const QuicService> service() {
    auto made = std::make_shared<QuicService>();
    made->protocol = config::ServerProtocol::http3;
    made->http = {{{"/dns-query"}, {"/other", true}}, "x-real-ip"};
    made->limits.max_queries = 16;
    return made;
}

struct Scene {
    Scene()
        : streams(Http3Streams::make(
              control,
              [this](const ClientStreams::Query& query) {
                  REQUIRE(query.message.size() >= 12 && query.path < 2);
                  REQUIRE(!answered.contains(query.stream));
                  asked.push_back(query.stream);
                  return asked.size() % 7 != 0;
              },
              service())) {}

    // A stream of the client: the low bits choose its kind, the others one that is open, or the next.
    StreamId stream_of(unsigned chosen) {
        const StreamId kind = (chosen & 1) != 0 ? 2 : 0;
        const StreamId id = static_cast<StreamId>(chosen >> 1 & 0xf) * 4 + kind;
        for (StreamId& next = next_of[kind]; next <= id; next += 4) {
            open.insert(next);
            REQUIRE(!streams->opened(next));
        }
        return id;
    }
    // False: the connection is closed.
    bool receive(unsigned what, Input& in) {
        const StreamId id = stream_of(in.byte());
        const auto bytes = in.bytes(in.byte());
        if (!open.contains(id) || ended.contains(id)) return true;
        received += bytes.size();
        const bool is_end = (what & 0x80) != 0;
        if (is_end) ended.insert(id);
        return !streams->receive(id, bytes, is_end);
    }
    bool cancel(Input& in) {
        const StreamId id = stream_of(in.byte());
        if (!open.contains(id) || !ended.insert(id).second) return true;
        return !streams->cancelled(id, 0);
    }
    bool close(Input& in) {
        const StreamId id = stream_of(in.byte());
        if (open.erase(id) == 0) return true;
        unacknowledged.erase(id);
        return !streams->closed(id);
    }
    void answer(Input& in) {
        if (asked.empty()) return;
        const StreamId of = asked[in.byte() % asked.size()];
        const std::vector<std::uint8_t> response(in.byte() * 3, static_cast<std::uint8_t>(of));
        const auto end = static_cast<QueryEnd>(in.byte() % static_cast<unsigned>(QueryEnd::count_));
        if (!streams->answer(of, end, response)) return;
        REQUIRE(open.contains(of) && answered.insert(of).second);
    }
    void send(unsigned what, Input& in) {
        const auto output = streams->next_output();
        if (!output) return;
        if ((what & 0x80) != 0) return streams->blocked(output->stream);
        const auto bytes = std::min<std::size_t>(in.byte(), output->bytes.size());
        if (bytes == 0 && !output->bytes.empty()) return;
        streams->sent(output->stream, bytes);
        unacknowledged[output->stream] += bytes;
    }
    void acknowledge(Input& in) {
        if (unacknowledged.empty()) return;
        auto at = unacknowledged.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(in.byte() % unacknowledged.size()));
        const auto bytes = std::min<std::size_t>(in.byte(), at->second);
        at->second -= bytes;
        streams->acknowledged(at->first, bytes);
    }

    fuzz::CountedControl control;
    std::vector<StreamId> asked;
    std::set<StreamId> open, ended, answered;
    std::map<StreamId, StreamId> next_of{{0, 0}, {2, 2}};
    std::map<StreamId, std::size_t> unacknowledged;
    std::uint64_t received = 0;
    std::unique_ptr<Http3Streams> streams;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in({data, size});
    Scene scene;
    REQUIRE(scene.streams != nullptr);
    for (bool is_open = true; is_open && !in.empty();) {
        const unsigned what = in.byte();
        switch (what % 8) {
            case 3:
                is_open = scene.cancel(in);
                break;
            case 4:
                is_open = scene.close(in);
                break;
            case 5:
                scene.answer(in);
                break;
            case 6:
                scene.send(what, in);
                break;
            case 7:
                if ((what & 0x80) != 0) {
                    scene.streams->unblocked(scene.stream_of(in.byte()));
                } else {
                    scene.acknowledge(in);
                }
                break;
            default:
                is_open = scene.receive(what, in);
        }
        REQUIRE(scene.control.consumed_bytes <= scene.received);
    }
    (void)scene.streams->incomplete_since_ms();
    (void)scene.streams->expire(scene.control.now + 100'000);
    return 0;
}
