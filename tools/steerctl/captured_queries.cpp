#include "captured_queries.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/records.h"

namespace steerctl {
namespace {

namespace dns = steer::dns;
namespace ip = boost::asio::ip;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMostAnswers = 400;  // bytes of CapturedQuery::answers

void append(std::string& key, const ip::address& address) {
    const auto add = [&key](const auto& bytes) { key.append(bytes.begin(), bytes.end()); };
    if (address.is_v4()) {
        add(address.to_v4().to_bytes());
    } else {
        add(address.to_v6().to_bytes());
    }
}

void append(std::string& key, std::uint16_t number) {
    key += static_cast<char>(number >> 8U);
    key += static_cast<char>(number & 0xffU);
}

std::string key_of(const ip::address& address) {
    std::string key;
    append(key, address);
    return key;
}

// Of a query and of its answer alike. (Both addresses are of one family, so the parts have known lengths.)
std::string flow_key(const ip::address& client, std::uint16_t client_port,
                     const ip::address& server, Bytes message) {
    std::string key;
    append(key, client);
    append(key, server);
    append(key, client_port);
    append(key, dns::load_be16(message.data()));  // ID
    return key;
}

std::string query_key(const CapturedQuery& query) {
    std::string key;
    append(key, query.client);
    append(key, query.server);
    append(key, query.type);
    append(key, query.klass);
    key.append(query.name.begin(), query.name.end());
    return key;
}

// A word of CapturedQuery::answers; empty: malformed.
std::string word_of(dns::AnswerSection& answers, const dns::Record& record) {
    const Bytes rdata = answers.rdata(record);
    if (record.type == dns::kA && rdata.size() == 4) {
        ip::address_v4::bytes_type raw;
        std::ranges::copy(rdata, raw.begin());
        return ip::address_v4(raw).to_string();
    }
    if (record.type == dns::kAaaa && rdata.size() == 16) {
        ip::address_v6::bytes_type raw;
        std::ranges::copy(rdata, raw.begin());
        return ip::address_v6(raw).to_string();
    }
    if (record.type != dns::kCname) return "TYPE" + std::to_string(record.type);
    dns::Name target;
    if (!answers.target(record, target)) return {};
    dns::lower_case(target.wire.data(), target.wire.data(), target.length);
    return dns::name_to_text(target.bytes());
}

// No value: it is not known as a whole.
std::optional<std::string> answers_of(Bytes response) {
    dns::AnswerSection answers(response);
    dns::Record record{};
    std::string out;
    while (answers.next(record)) {
        const std::string word = word_of(answers, record);
        if (word.empty() || out.size() + word.size() >= kMostAnswers) return std::nullopt;
        if (!out.empty()) out += ' ';
        out += word;
    }
    return answers.is_complete() ? std::optional(out) : std::nullopt;
}

bool asks_the_same(const CapturedQuery& query, Bytes response) {
    dns::NameStarts starts;
    dns::Name name;
    const std::size_t end = dns::read_name(response, dns::kHeaderSize, starts, &name);
    return end != 0 && end + dns::kTypeAndClass <= response.size() &&
           dns::same_name(name.bytes(), query.name) &&
           dns::load_be16(&response[end]) == query.type &&
           dns::load_be16(&response[end + 2]) == query.klass;
}

std::size_t json_size(std::string_view text) {
    const auto is_escaped = [](char c) { return c == '"' || c == '\\' || c == '\n'; };
    return text.size() + static_cast<std::size_t>(std::ranges::count_if(text, is_escaped));
}

}  // namespace

void CapturedQueries::add(LinkType link, Bytes frame) {
    ++counts_.frames;
    CapturedDatagram datagram;
    switch (read_frame(link, frame, datagram)) {
        case FrameKind::other:
            return;
        case FrameKind::tcp:
            ++counts_.tcp;
            return;
        case FrameKind::fragment:
            ++counts_.fragments;
            return;
        case FrameKind::cut:
            ++counts_.cut;
            return;
        case FrameKind::dns:
            break;
    }
    if (datagram.message.size() < dns::kHeaderSize) {
        ++(datagram.is_cut ? counts_.cut : counts_.malformed);
        return;
    }
    const bool is_response = (datagram.message[2] & 0x80U) != 0;
    if (is_response && datagram.source_port == kDnsPort) {
        add_answer(datagram);
    } else if (!is_response && datagram.destination_port == kDnsPort) {
        add_query(datagram);
    } else {
        ++counts_.malformed;
    }
}

void CapturedQueries::add_query(const CapturedDatagram& datagram) {
    dns::Query q;
    const bool is_good = dns::parse_query(datagram.message, q) == dns::QueryError::none;
    // Of a query that is cut off, the question is enough.
    if (!is_good && (!datagram.is_cut || q.question_end == 0)) {
        ++(datagram.is_cut ? counts_.cut : counts_.malformed);
        return;
    }
    CapturedQuery query;
    query.name.assign(q.name().begin(), q.name().end());
    query.type = q.qtype;
    query.klass = q.qclass;
    query.client = datagram.source;
    query.server = datagram.destination;
    auto key = query_key(query);
    auto at = places_.find(key);
    if (at == places_.end()) {
        if (queries_.size() >= kMostCaptured) {
            ++counts_.surplus;
            return;
        }
        servers_.insert(key_of(query.server));
        at = places_.emplace(std::move(key), queries_.size()).first;
        queries_.push_back(std::move(query));
        answered_.push_back(0);
    }
    ++queries_[at->second].queries;
    await(flow_key(datagram.source, datagram.source_port, datagram.destination, datagram.message),
          at->second);
}

void CapturedQueries::await(std::string key, std::size_t query) {
    if (awaited_.size() >= kMostAwaited) {
        awaited_before_ = std::move(awaited_);
        awaited_.clear();
    }
    awaited_.insert_or_assign(std::move(key), query);
}

std::optional<std::size_t> CapturedQueries::find_awaited(const std::string& key) {
    for (AwaitedByKey* const all : {&awaited_, &awaited_before_}) {
        const auto at = all->find(key);
        if (at != all->end()) return at->second;
    }
    return std::nullopt;
}

void CapturedQueries::add_answer(const CapturedDatagram& datagram) {
    const Bytes message = datagram.message;
    const std::string key =
        flow_key(datagram.destination, datagram.destination_port, datagram.source, message);
    const auto place = find_awaited(key);
    if (!place || !asks_the_same(queries_[*place], message)) return;
    awaited_.erase(key);
    awaited_before_.erase(key);
    CapturedQuery& query = queries_[*place];
    ++answered_[*place];
    constexpr std::uint16_t kTruncated = 0x0200;
    const std::uint16_t flags = dns::load_be16(&message[2]);
    const std::uint16_t rcode = flags & 15U;
    if (datagram.is_cut || (flags & kTruncated) != 0 ||
        (rcode != dns::kNoError && rcode != dns::kNxDomain))
        return;
    auto answers = answers_of(message);
    if (!answers) return;
    query.rcode = rcode;
    query.answers = *std::move(answers);
}

std::vector<CapturedQuery> CapturedQueries::take() {
    std::vector<CapturedQuery> out;
    for (std::size_t i = 0; i < queries_.size(); ++i) {
        CapturedQuery& query = queries_[i];
        // (A machine that asks itself is a client.)
        if (query.client != query.server && servers_.contains(key_of(query.client))) {
            counts_.servers += query.queries;
            continue;
        }
        counts_.queries += query.queries;
        counts_.answered += answered_[i];
        out.push_back(std::move(query));
    }
    queries_.clear();
    places_.clear();
    std::ranges::stable_sort(out, std::greater{}, &CapturedQuery::queries);
    return out;
}

std::string line_of(const CapturedQuery& query) {
    std::string out = std::to_string(query.queries) + " " + query.client.to_string() + " " +
                      query.server.to_string() + " " + std::to_string(query.type) + " " +
                      std::to_string(query.klass) + " " + dns::name_to_text(query.name);
    if (query.rcode) out += " " + std::to_string(*query.rcode);
    if (!query.answers.empty()) out += " " + query.answers;
    return out;
}

Records records_of(std::span<const CapturedQuery> queries, std::size_t room) {
    Records out;
    std::size_t used = 0;
    for (std::size_t i = 0; i < queries.size(); ++i) {
        const std::string line = line_of(queries[i]) + "\n";
        used += json_size(line);
        if (i >= kMostSent || used > room) {
            out.omitted_distinct = queries.size() - i;
            for (const CapturedQuery& query : queries.subspan(i))
                out.omitted_queries += query.queries;
            break;
        }
        out.lines += line;
    }
    return out;
}

}  // namespace steerctl
