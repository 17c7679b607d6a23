#include "control/streams/quic/http3_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace steer::quic {

std::unique_ptr<Http3Client> Http3Client::make(ClientControl& control, ReplyTaker& taker,
                                               const stream::DohTarget& target) {
    std::unique_ptr<Http3Client> made(new Http3Client(control, taker, target));
    made->http_ = Http3::client(control, *made, kMostHead);
    if (made->http_ == nullptr) return nullptr;
    return made;
}

Http3Client::~Http3Client() {
    for (const auto& [id, request] : requests_)
        account_.give(request.charged);
}

// Call it when a buffer may have changed its size. A head of few bytes and many fields costs more
// than its bytes.
void Http3Client::charge(Request& request) {
    constexpr std::size_t kNode = node_bytes<decltype(requests_)>() + kAskBytes;
    std::size_t head = heap_bytes(request.head.fields.capacity() * sizeof(request.head.fields[0]));
    for (const auto& field : request.head.fields)
        head += text_bytes(field.name) + text_bytes(field.value);
    request.charged =
        account_.recharge(request.charged, kNode + head + heap_bytes(request.in.capacity()) +
                                               heap_bytes(request.out.capacity()));
}

// ---- the daemon's

void Http3Client::ask(std::uint64_t ask, std::span<const std::uint8_t> message) {
    const auto id = begin(ask, !is_away_);
    if (!id) return;
    Request& request = requests_[*id];
    request.ask = ask;
    request.out.assign(message.begin(), message.end());
    charge(request);
    const std::string length = std::to_string(message.size());
    const std::array head{Http3Field{":method", "POST"},
                          Http3Field{":scheme", "https"},
                          Http3Field{":authority", target_.authority},
                          Http3Field{":path", target_.path},
                          Http3Field{"accept", stream::kDnsMessageType},
                          Http3Field{"content-type", stream::kDnsMessageType},
                          Http3Field{"content-length", length}};
    if (http_->request(*id, head)) return;
    finish(ask, AskEnd::unprocessed);
    control_.reset(*id, code_of(Http3Error::internal_error));
}

void Http3Client::cancel(std::uint64_t ask) {
    if (const auto id = drop(ask)) give_up(*id, requests_.at(*id));
}

// The bytes of the request that are not sent yet are not sent any more.
void Http3Client::give_up(StreamId id, Request& request) {
    request.in = {};
    charge(request);
    http_->ignore(id);
    control_.reset(id, code_of(Http3Error::request_cancelled));
}

// ---- what the connection calls

// Unidirectional ones: settings, QPACK, and reserved types.
Application::Failure Http3Client::opened(StreamId id) {
    return is_bidirectional(id) ? Failure{code_of(Http3Error::stream_creation_error)} : Failure{};
}

Application::Failure Http3Client::receive(StreamId id, std::span<const std::uint8_t> bytes,
                                          bool is_end) {
    return http_->receive(id, bytes, is_end);
}

Application::Failure Http3Client::cancelled(StreamId id, std::uint64_t code) {
    http_->ignore(id);
    Request* const request = open_request(id);
    if (request == nullptr) return {};
    const bool is_rejected = code == code_of(Http3Error::request_rejected);
    finish(request->ask, is_rejected ? AskEnd::unprocessed : AskEnd::failed);
    control_.reset(id, code_of(Http3Error::request_cancelled));
    return {};
}

std::optional<Application::Output> Http3Client::next_output() {
    const auto output = http_->next_output();
    const bool is_end = output && output->is_end;
    ending_ = is_end ? output->stream : -1;
    ending_bytes_ = is_end ? output->bytes.size() : 0;
    return output;
}

void Http3Client::sent(StreamId id, std::size_t bytes) {
    http_->sent(id, bytes);
    if (id != ending_ || bytes != ending_bytes_) return;
    if (const Request* const request = open_request(id)) note_sent(request->ask);
}

void Http3Client::acknowledged(StreamId id, std::uint64_t bytes) {
    (void)http_->acknowledged(id, bytes);
}

// ---- responses

Http3Client::Request* Http3Client::open_request(StreamId id) {
    const auto at = requests_.find(id);
    return at == requests_.end() || !is_waiting(at->second.ask) ? nullptr : &at->second;
}

void Http3Client::on_begun(StreamId id) {
    Request* const request = open_request(id);
    if (request == nullptr) return;
    request->head = {};
    charge(*request);
}

void Http3Client::on_field(StreamId id, const Http3Field& field) {
    constexpr std::size_t kFieldOverhead = 32;  // of a head (RFC 9114 4.2.2)
    Request* const request = open_request(id);
    if (request == nullptr) return;
    request->head_bytes += field.name.size() + field.value.size() + kFieldOverhead;
    if (request->head_bytes > kMostHead) {
        finish(request->ask, AskEnd::bad);
        return give_up(id, *request);
    }
    if (field.name == ":status") {
        const char* const end = field.value.data() + field.value.size();
        (void)std::from_chars(field.value.data(), end, request->head.status);
    } else if (std::ranges::find(stream::kDohFields, field.name) != stream::kDohFields.end()) {
        request->head.fields.push_back({std::string(field.name), std::string(field.value)});
        charge(*request);
    }
}

void Http3Client::on_content(StreamId id, std::span<const std::uint8_t> bytes) {
    Request* const request = open_request(id);
    if (request == nullptr) return;
    if (bytes.size() > stream::kMaxHttpContent - request->in.size()) {
        finish(request->ask, AskEnd::bad);
        return give_up(id, *request);
    }
    request->in.insert(request->in.end(), bytes.begin(), bytes.end());
    charge(*request);
}

void Http3Client::on_end(StreamId id) {
    Request* const request = open_request(id);
    if (request == nullptr) return;
    const stream::DohReply reply = stream::reply_of(request->head);
    if (reply.is_too_early()) return finish(request->ask, AskEnd::unprocessed);
    const bool is_answer = reply.is_dns() && !request->in.empty();
    const auto message = std::exchange(request->in, {});
    charge(*request);
    finish(request->ask, is_answer ? AskEnd::answered : AskEnd::bad,
           is_answer ? std::span(message) : std::span<const std::uint8_t>{},
           {reply.age_s, reply.fresh_s(), reply.retry_after_s});
}

void Http3Client::on_malformed(StreamId id, std::uint64_t code) {
    Request* const request = open_request(id);
    if (request == nullptr) return;
    finish(request->ask, AskEnd::bad);
    control_.reset(id, code);
}

void Http3Client::on_closed(StreamId id) {
    const auto at = requests_.find(id);
    if (at == requests_.end()) return;
    finish(at->second.ask, AskEnd::failed);
    account_.give(at->second.charged);
    requests_.erase(at);
    note_closed();
}

std::span<const std::uint8_t> Http3Client::content_of(StreamId id) {
    const auto at = requests_.find(id);
    return at == requests_.end() ? std::span<const std::uint8_t>{} : std::span(at->second.out);
}

// It may come again with a lower number (RFC 9114 5.2).
void Http3Client::on_away(StreamId first_refused) {
    if (!std::exchange(is_away_, true)) taker_.takes_no_more();
    for (auto& [id, request] : requests_) {
        if (id < first_refused || !is_waiting(request.ask)) continue;
        finish(request.ask, AskEnd::unprocessed);
        give_up(id, request);
    }
}

}  // namespace steer::quic
