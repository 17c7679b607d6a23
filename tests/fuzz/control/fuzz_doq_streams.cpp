// What a client of DNS over QUIC does with its streams: bytes, ends, resets; and answers, blocked
// streams and acknowledgements in between. Each query is answered once at most, and what is sent of
// a stream is what was given for it.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "../require.h"
#include "control/streams/quic/doq_streams.h"
#include "fuzz_input.h"
#include "fuzz_stream_control.h"

namespace {

using namespace steer;
using namespace steer::quic;

using fuzz::CountedControl;
using fuzz::Input;

// The streams, and what was given and sent of each.
struct Scene {
    Scene()
        : streams(control, [this](const ClientStreams::Query& query) {
              REQUIRE(query.message.size() >= 12);
              asked.push_back(query.stream);
              return asked.size() % 7 != 0;
          }) {}

    // False: the connection is closed.
    bool receive(unsigned what, StreamId stream, Input& in) {
        if ((what & 0x20) == 0 && known.insert(stream).second && streams.opened(stream))
            return false;
        const auto bytes = in.bytes(in.byte());
        received += bytes.size();
        return !streams.receive(stream, bytes, (what & 0x80) != 0);
    }
    void answer(StreamId chosen, Input& in) {
        if (asked.empty()) return;
        const StreamId of = asked[static_cast<std::size_t>(chosen) % asked.size()];
        const std::vector<std::uint8_t> response(in.byte() * 3, static_cast<std::uint8_t>(of));
        const auto end = static_cast<QueryEnd>(in.byte() % 3);
        if (!streams.answer(of, end, response) || end != QueryEnd::answered) return;
        auto& whole = given[of];
        whole.assign({static_cast<std::uint8_t>(response.size() >> 8),
                      static_cast<std::uint8_t>(response.size() & 0xff)});
        whole.insert(whole.end(), response.begin(), response.end());
        total += whole.size();
    }
    void send(unsigned what, Input& in) {
        const auto output = streams.next_output();
        if (!output) return;
        const auto& whole = given.at(output->stream);
        auto& done = sent[output->stream];
        REQUIRE(output->is_end && done + output->bytes.size() == whole.size());
        REQUIRE(std::equal(output->bytes.begin(), output->bytes.end(),
                           whole.begin() + static_cast<std::ptrdiff_t>(done)));
        if ((what & 0x80) != 0) return streams.blocked(output->stream);
        const auto bytes = std::min<std::size_t>(in.byte(), output->bytes.size());
        streams.sent(output->stream, bytes);
        done += bytes;
    }

    CountedControl control;
    std::vector<StreamId> asked;
    std::set<StreamId> known;
    std::uint64_t received = 0;
    std::size_t total = 0;
    std::map<StreamId, std::vector<std::uint8_t>> given;
    std::map<StreamId, std::size_t> sent;
    DoqStreams streams;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in({data, size});
    Scene scene;
    DoqStreams& streams = scene.streams;
    for (bool is_open = true; is_open && !in.empty();) {
        const unsigned what = in.byte();
        const auto stream = static_cast<StreamId>(in.byte());
        switch (what % 8) {
            case 3:
                is_open = !streams.cancelled(stream, 0);
                break;
            case 4:
                is_open = !streams.closed(stream);
                scene.given.erase(stream);
                scene.sent.erase(stream);
                break;
            case 5:
                scene.answer(stream, in);
                break;
            case 6:
                scene.send(what, in);
                break;
            case 7:
                if ((what & 0x80) != 0) {
                    streams.unblocked(stream);
                } else {
                    streams.acknowledged(stream, in.byte());
                }
                break;
            default:
                is_open = scene.receive(what, stream, in);
        }
        REQUIRE(scene.control.consumed_bytes <= scene.received);
        // Buffers grow by doubling; a stream may have those of one that ended (1 KiB each).
        constexpr std::size_t kStreamBytes = 3 * 1024;
        REQUIRE(scene.control.memory.account.bytes() <=
                2 * (scene.received + scene.total) + scene.known.size() * kStreamBytes);
    }
    (void)streams.incomplete_since_ms();
    (void)streams.expire(scene.control.now + 100'000);
    return 0;
}
