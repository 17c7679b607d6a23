#include "control/streams/quic/http3_streams.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>
#include <utility>

#include "control/streams/http/http_answer.h"
#include "matchers/octets.h"

namespace steer::quic {

using stream::HttpStatus;

namespace {

constexpr std::size_t kFieldOverhead = 32;  // of a head (RFC 9114 4.2.2)
constexpr std::size_t kMaxFields = 8;       // of an answer

HttpStatus status_of(QueryEnd end) {
    switch (end) {
        case QueryEnd::answered:
            return HttpStatus::ok;
        case QueryEnd::over_limit:
            return HttpStatus::too_many_requests;
        case QueryEnd::bad_client:
            return HttpStatus::bad_request;
        case QueryEnd::unanswered:
        case QueryEnd::protocol_error:
        case QueryEnd::count_:
            break;
    }
    return HttpStatus::unavailable;
}

}  // namespace

Http3Streams::~Http3Streams() {
    for (const auto& [id, request] : requests_)
        account_.give(request.charged);
}

std::unique_ptr<Http3Streams> Http3Streams::make(ServerControl& control, Taker taker,
                                                 std::shared_ptr<const QuicService> service) {
    const unsigned streams = service->limits.max_queries;
    std::unique_ptr<Http3Streams> made(
        new Http3Streams(control, std::move(taker), std::move(service)));
    made->http_ = Http3::server(control, *made, streams, stream::kMaxHttpHead);
    if (made->http_ == nullptr) return nullptr;
    return made;
}

// ---- what the connection calls

Application::Failure Http3Streams::opened(StreamId id) {
    if (!is_client_initiated(id)) return quic::code_of(Http3Error::stream_creation_error);
    if (!is_bidirectional(id)) return {};
    // A stream that nghttp3 does not know of is one that it cannot forget.
    Request& request = requests_[id];
    request.begun_ms = control_.now_ms();
    charge(request);
    return http_->receive(id, {}, false);
}

Application::Failure Http3Streams::receive(StreamId id, std::span<const std::uint8_t> bytes,
                                           bool is_end) {
    const Failure failure = http_->receive(id, bytes, is_end);
    if (!failure && was_flooded_)
        return quic::code_of(Http3Error::excessive_load);  // malformed ones
    was_flooded_ = was_flooded_ || http_->was_flooded();
    return failure;
}

// Its end of a request is enough, so ours is reset.
Application::Failure Http3Streams::cancelled(StreamId id, std::uint64_t /*code*/) {
    http_->ignore(id);
    const auto at = requests_.find(id);
    if (at == requests_.end() || at->second.is_given_up) return {};
    at->second.is_given_up = true;
    drop_input(at->second);
    control_.reset(id, quic::code_of(Http3Error::request_cancelled));
    return note_cancelled();
}

Application::Failure Http3Streams::closed(StreamId id) {
    const auto at = requests_.find(id);
    const bool is_cancelled =
        at != requests_.end() && !at->second.is_given_up &&
        (!at->second.is_answered || at->second.acknowledged < at->second.out.size());
    const Failure failure = http_->close(id);
    return !failure && is_cancelled ? note_cancelled() : failure;
}

Application::Failure Http3Streams::note_cancelled() {
    return note_reset() ? Failure{} : Failure{quic::code_of(Http3Error::excessive_load)};
}

void Http3Streams::acknowledged(StreamId id, std::uint64_t bytes) {
    (void)http_->acknowledged(id, bytes);
}

std::optional<std::uint64_t> Http3Streams::incomplete_since_ms() const {
    // Requests begin in the order of their numbers, except for packets that overtake others.
    for (const auto& [id, request] : requests_) {
        if (!request.is_whole && !request.is_answered && !request.is_given_up)
            return request.begun_ms;
    }
    return std::nullopt;
}

void Http3Streams::send_away() {
    http_->send_away();
}

// ---- requests

void Http3Streams::on_field(StreamId id, const Http3Field& field) {
    Request& request = requests_[id];
    const std::size_t bytes = field.name.size() + field.value.size() + kFieldOverhead;
    request.head_bytes += bytes;
    if (request.head_bytes > stream::kMaxHttpHead) return;
    stream::take_field(request.head, field.name, field.value, service_->http.client_header);
    charge(request);
}

void Http3Streams::on_head(StreamId id) {
    Request& request = requests_[id];
    if (std::exchange(request.has_head, true)) return;
    control_.count(QuicCount::http_requests);
    if (request.head_bytes > stream::kMaxHttpHead)
        return refuse(id, request, HttpStatus::fields_too_large);
    auto judged = stream::judge_head(request.head, service_->http.paths);
    if (const auto* const why = std::get_if<stream::HttpRefusal>(&judged))
        return refuse(id, request, *why);
    auto& query = std::get<stream::HttpQuery>(judged);
    request.path = static_cast<std::uint16_t>(query.path);
    request.form = query.form;
    if (query.in_content) return;
    request.in = std::move(query.message);
    charge(request);
}

void Http3Streams::on_content(StreamId id, std::span<const std::uint8_t> bytes) {
    Request& request = requests_[id];
    if (request.is_answered || request.is_given_up ||
        request.head.method != stream::HttpMethod::post)
        return;
    if (bytes.size() > stream::kMaxHttpQuery - request.in.size())
        return refuse(id, request, HttpStatus::content_too_large);
    request.in.insert(request.in.end(), bytes.begin(), bytes.end());
    charge(request);
}

void Http3Streams::on_end(StreamId id) {
    Request& request = requests_[id];
    request.is_whole = true;
    if (request.is_answered || request.is_given_up) return;
    if (const auto status = stream::judge_message(request.in); status != HttpStatus::ok)
        return refuse(id, request, status);
    const auto message = std::exchange(request.in, {});
    const std::string forwarded_for = std::exchange(request.head.forwarded_for, {});
    request.begun_ms = control_.now_ms();
    drop_input(request);
    const bool has_room = taker_(
        {.stream = id, .message = message, .path = request.path, .forwarded_for = forwarded_for});
    if (!has_room) refuse(id, request, HttpStatus::unavailable);
}

void Http3Streams::on_malformed(StreamId id, std::uint64_t code) {
    Request& request = requests_[id];
    if (request.is_answered || request.is_given_up) return;
    request.is_given_up = true;
    control_.count(QuicCount::http_refused);
    drop_input(request);
    control_.reset(id, code);
    (void)note_reset();
}

// Call it when a buffer may have changed its size.
void Http3Streams::charge(Request& request) {
    constexpr std::size_t kNode = node_bytes<decltype(requests_)>();
    const stream::HttpHead& head = request.head;
    const std::size_t texts = text_bytes(head.target) + text_bytes(head.forwarded_for) +
                              (head.content_type ? text_bytes(*head.content_type) : 0);
    request.charged =
        account_.recharge(request.charged, kNode + texts + heap_bytes(request.in.capacity()) +
                                               heap_bytes(request.out.capacity()));
}

void Http3Streams::drop_input(Request& request) {
    request.in = {};
    charge(request);
}

void Http3Streams::on_closed(StreamId id) {
    const auto at = requests_.find(id);
    if (at == requests_.end()) return;
    account_.give(at->second.charged);
    unacknowledged_ -= at->second.out.size() - at->second.acknowledged;
    requests_.erase(at);
}

// ---- answers

bool Http3Streams::answer(StreamId id, QueryEnd end, std::span<const std::uint8_t> response) {
    const auto at = requests_.find(id);
    if (at == requests_.end() || at->second.is_answered || at->second.is_given_up) return false;
    const HttpStatus status = status_of(end);
    if (status == HttpStatus::ok) {
        note_answer();
        respond(id, at->second, status, response);
    } else {
        refuse(id, at->second, status);
    }
    return true;
}

unsigned Http3Streams::expire(std::uint64_t now_ms) {
    unsigned late = 0;
    for (auto& [id, request] : requests_) {
        if (!request.is_whole || request.is_answered || request.is_given_up ||
            now_ms - request.begun_ms < kAnswerMs)
            continue;
        refuse(id, request, HttpStatus::unavailable);
        ++late;
    }
    return late;
}

// A request that is refused before its end need not be sent to its end (RFC 9114 4.1).
void Http3Streams::refuse(StreamId id, Request& request, const stream::HttpRefusal& why) {
    control_.count(QuicCount::http_refused);
    respond(id, request, why.status, octets_of(why.text));
    drop_input(request);
    if (!request.is_whole) control_.stop_reading(id, quic::code_of(Http3Error::no_error));
}

void Http3Streams::respond(StreamId id, Request& request, HttpStatus status,
                           std::span<const std::uint8_t> content) {
    request.is_answered = true;
    const stream::HttpAnswerFields fields(status, content, std::time(nullptr), request.form);
    const std::string digits = std::to_string(static_cast<unsigned>(fields.status()));
    std::array<Http3Field, kMaxFields> head;
    std::size_t count = 0;
    head[count++] = {":status", digits};
    for (const auto& [name, value] : fields.fields())
        head[count++] = {name, value};
    if (request.head.method != stream::HttpMethod::head)
        request.out.assign(fields.content().begin(), fields.content().end());
    unacknowledged_ += request.out.size();
    charge(request);
    if (http_->respond(id, std::span(head).first(count), !request.out.empty())) return;
    request.is_given_up = true;
    control_.reset(id, quic::code_of(Http3Error::internal_error));
}

std::span<const std::uint8_t> Http3Streams::content_of(StreamId id) {
    const auto at = requests_.find(id);
    return at == requests_.end() ? std::span<const std::uint8_t>{} : std::span(at->second.out);
}

void Http3Streams::on_acknowledged(StreamId id, std::size_t bytes) {
    const auto at = requests_.find(id);
    if (at == requests_.end()) return;
    const std::size_t more = std::min(bytes, at->second.out.size() - at->second.acknowledged);
    at->second.acknowledged += more;
    unacknowledged_ -= more;
}

}  // namespace steer::quic
