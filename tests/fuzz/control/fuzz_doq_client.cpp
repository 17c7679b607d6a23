// What an upstream of DNS over QUIC does with the streams of our queries: bytes, ends, resets, and
// blocked streams in between; and our asks and cancellations. Each ask ends once at most, answers
// have the id 0, and what is sent of a stream is what was asked.
#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "../require.h"
#include "control/streams/quic/doq_client.h"
#include "support/quic_account.h"

namespace {

using namespace steer::quic;

struct Scene final : ClientControl, ReplyTaker {
    // ClientControl
    void consumed(std::uint64_t bytes) override { all_consumed += bytes; }
    void reset(StreamId, std::uint64_t) override {}
    void consumed_of(StreamId, std::uint64_t) override {}
    void stop_reading(StreamId, std::uint64_t) override {}
    std::optional<StreamId> open_uni_stream() override { return std::nullopt; }
    void takes_no_more() override {}
    std::optional<StreamId> open_stream() override {
        if (next >= 4 * 200) return std::nullopt;
        return std::exchange(next, next + 4);
    }
    Account& account() override { return memory.account; }
    // ReplyTaker
    void take_reply(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                    const AnswerFacts&) override {
        REQUIRE(open.erase(ask) == 1);
        REQUIRE((end == AskEnd::answered) == !message.empty());
        if (end != AskEnd::answered) return;
        REQUIRE(message.size() >= 12 && message[0] == 0 && message[1] == 0);
    }
    QuicAccount memory;
    StreamId next = 0;
    std::uint64_t all_consumed = 0;
    std::map<std::uint64_t, bool> open;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::span<const std::uint8_t> left(data, size);
    const auto byte = [&left] {
        if (left.empty()) return 0U;
        const unsigned value = left.front();
        left = left.subspan(1);
        return value;
    };
    Scene scene;
    DoqClient client(scene, scene);
    std::uint64_t asks = 0, received = 0;
    const std::vector<std::uint8_t> query(20, 7);
    for (bool is_open = true; is_open && !left.empty();) {
        const unsigned what = byte();
        const auto stream = static_cast<StreamId>(byte());
        switch (what % 8) {
            case 0:
                scene.open[++asks] = true;
                client.ask(asks, query);
                break;
            case 1:
                scene.open.erase(static_cast<std::uint64_t>(stream));
                client.cancel(static_cast<std::uint64_t>(stream));
                break;
            case 2:
                is_open = !client.cancelled(stream, what);
                break;
            case 3:
                is_open = !client.closed(stream);
                break;
            case 4:
                if (const auto output = client.next_output()) {
                    REQUIRE(output->is_end && output->bytes.size() <= query.size() + 2);
                    if ((what & 0x80) != 0) {
                        client.blocked(output->stream);
                    } else {
                        client.sent(output->stream,
                                    std::min<std::size_t>(byte(), output->bytes.size()));
                    }
                }
                break;
            case 5:
                client.unblocked(stream);
                client.acknowledged(stream, 1);
                if ((what & 0x80) != 0) client.shut(stream);
                break;
            default: {
                const auto bytes = left.first(std::min<std::size_t>(byte(), left.size()));
                left = left.subspan(bytes.size());
                received += bytes.size();
                is_open = !client.receive(stream, bytes, (what & 0x80) != 0);
            }
        }
        REQUIRE(scene.all_consumed <= received);
    }
    client.end(false);
    REQUIRE(scene.open.empty());
    return 0;
}
