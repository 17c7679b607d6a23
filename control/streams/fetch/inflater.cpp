#include "control/streams/fetch/inflater.h"

#define ZLIB_CONST
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace steer::fetch {
namespace {

constexpr std::size_t kInflated = 64 * 1024;
constexpr int kGzipOnly = MAX_WBITS + 16;

}  // namespace

struct Inflater::State {
    Sink sink;
    z_stream stream{};
    bool begun = false, ended = false;  // within the content; at the end of a member
    std::array<std::uint8_t, kInflated> out{};
};

Inflater::Inflater(Sink sink) : state_(std::make_unique<State>()) {
    state_->sink = std::move(sink);
    if (inflateInit2(&state_->stream, kGzipOnly) != Z_OK) std::abort();  // no memory for it
}

Inflater::~Inflater() {
    inflateEnd(&state_->stream);
}

Result<void> Inflater::feed(std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) return {};
    z_stream& stream = state_->stream;
    stream.next_in = bytes.data();
    stream.avail_in = static_cast<uInt>(bytes.size());
    while (stream.avail_in > 0 || (stream.avail_out == 0 && state_->begun)) {
        if (state_->ended) {
            inflateReset(&stream);
            state_->ended = false;
        }
        state_->begun = true;
        stream.next_out = state_->out.data();
        stream.avail_out = kInflated;
        const int done = inflate(&stream, Z_NO_FLUSH);
        if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR)
            return Error{"its content is not valid gzip: mislabelled, or damaged in transit"};
        if (const std::size_t made = kInflated - stream.avail_out; made > 0) {
            if (auto taken = state_->sink({state_->out.data(), made}); !taken) return taken;
        }
        state_->ended = done == Z_STREAM_END;
        if (done == Z_BUF_ERROR || (state_->ended && stream.avail_in == 0)) break;
    }
    return {};
}

bool Inflater::is_whole() const {
    return state_->ended;
}

}  // namespace steer::fetch
