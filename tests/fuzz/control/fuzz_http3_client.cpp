// What an upstream of DNS over HTTP/3 does with its streams: frames, heads (QPACK), ends, resets; and
// our asks, cancellations, blocked streams and acknowledgements in between. The rules of a connection
// hold: streams of the upstream begin in order, and what was not sent is not acknowledged. Each ask
// ends once at most.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "../require.h"
#include "control/streams/quic/http3_client.h"
#include "fuzz_input.h"
#include "support/quic_account.h"

namespace {

using namespace steer;
using namespace steer::quic;
using fuzz::Input;

struct Scene final : ClientControl, ReplyTaker {
    QuicAccount memory;  // before what is charged
    Scene() : client(Http3Client::make(*this, *this, {"dns.example", "/dns-query"})) {}

    // ClientControl
    void consumed(std::uint64_t bytes) override { all_consumed += bytes; }
    void consumed_of(StreamId, std::uint64_t) override {}
    void reset(StreamId stream, std::uint64_t) override { REQUIRE(ours.contains(stream)); }
    void stop_reading(StreamId, std::uint64_t) override {}
    std::optional<StreamId> open_uni_stream() override {
        return std::exchange(next_uni, next_uni + 4);
    }
    std::optional<StreamId> open_stream() override {
        if (next >= 4 * 100) return std::nullopt;
        ours.insert(next);
        return std::exchange(next, next + 4);
    }
    Account& account() override { return memory.account; }
    // ReplyTaker
    void take_reply(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                    const AnswerFacts&) override {
        REQUIRE(asked.erase(ask) == 1);
        REQUIRE((end == AskEnd::answered) == !message.empty());
        REQUIRE(message.size() <= stream::kMaxHttpContent);
    }
    void takes_no_more() override { REQUIRE(!client->takes_asks()); }

    // A stream: with the low bit the upstream's, one that is open, or its next.
    StreamId stream_of(unsigned chosen) {
        const auto number = static_cast<StreamId>(chosen >> 1 & 0xf) * 4;
        if ((chosen & 1) == 0) return number;
        for (; next_theirs <= number + 3; next_theirs += 4) {
            theirs.insert(next_theirs);
            REQUIRE(!client->opened(next_theirs));
        }
        return number + 3;
    }
    [[nodiscard]] bool is_open(StreamId id) const {
        return ours.contains(id) || theirs.contains(id);
    }
    // False: the connection is closed.
    bool receive(unsigned what, Input& in) {
        const StreamId id = stream_of(in.byte());
        const auto bytes = in.bytes(in.byte());
        if (!is_open(id) || ended.contains(id)) return true;
        received += bytes.size();
        const bool is_end = (what & 0x80) != 0;
        if (is_end) ended.insert(id);
        return !client->receive(id, bytes, is_end);
    }
    bool cancel(unsigned what, Input& in) {
        const StreamId id = stream_of(in.byte());
        if (!is_open(id) || !ended.insert(id).second) return true;
        return !client->cancelled(id, 0x100U + (what >> 3));
    }
    bool close(Input& in) {
        const StreamId id = stream_of(in.byte());
        if (ours.erase(id) + theirs.erase(id) == 0) return true;
        unacknowledged.erase(id);
        return !client->closed(id);
    }
    void ask(unsigned what, Input& in) {
        if ((what & 0x80) == 0) {
            asked.insert(++last_ask);
            return client->ask(last_ask, std::vector<std::uint8_t>(12 + in.byte()));
        }
        const std::uint64_t one = in.byte();
        asked.erase(one);
        client->cancel(one);
    }
    void send(unsigned what, Input& in) {
        const auto output = client->next_output();
        if (!output) return;
        if ((what & 0x80) != 0) return client->blocked(output->stream);
        const auto bytes = std::min<std::size_t>(in.byte(), output->bytes.size());
        if (bytes == 0 && !output->bytes.empty()) return;
        client->sent(output->stream, bytes);
        unacknowledged[output->stream] += bytes;
    }
    void acknowledge(unsigned what, Input& in) {
        if ((what & 0x80) != 0) return client->unblocked(stream_of(in.byte()));
        if (unacknowledged.empty()) return;
        auto at = unacknowledged.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(in.byte() % unacknowledged.size()));
        const auto bytes = std::min<std::size_t>(in.byte(), at->second);
        at->second -= bytes;
        client->acknowledged(at->first, bytes);
    }

    StreamId next = 0, next_uni = 2, next_theirs = 3;
    std::uint64_t all_consumed = 0, received = 0, last_ask = 0;
    std::set<std::uint64_t> asked;
    std::set<StreamId> ours{2, 6, 10}, theirs, ended;
    std::map<StreamId, std::size_t> unacknowledged;
    std::unique_ptr<Http3Client> client;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in({data, size});
    Scene scene;
    REQUIRE(scene.client != nullptr);
    for (bool is_open = true; is_open && !in.empty();) {
        const unsigned what = in.byte();
        switch (what % 8) {
            case 2:
                scene.ask(what, in);
                break;
            case 3:
                is_open = scene.cancel(what, in);
                break;
            case 4:
                is_open = scene.close(in);
                break;
            case 5:
                scene.send(what, in);
                break;
            case 6:
                scene.acknowledge(what, in);
                break;
            default:
                is_open = scene.receive(what, in);
        }
        REQUIRE(scene.all_consumed <= scene.received);
    }
    scene.client->end(false);
    REQUIRE(scene.asked.empty());
    return 0;
}
