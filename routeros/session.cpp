#include "routeros/session.h"

#include <openssl/evp.h>

#include <charconv>

#include "matchers/safe_text.h"

namespace steer::routeros {

namespace {

// The value of a word `PREFIXvalue`, or nothing.
std::optional<std::string_view> after(std::string_view word, std::string_view prefix) {
    if (!word.starts_with(prefix)) return std::nullopt;
    return word.substr(prefix.size());
}

std::optional<Tag> tag_of(std::span<const std::string_view> words) {
    for (const auto word : words) {
        const auto text = after(word, ".tag=");
        if (!text) continue;
        Tag tag = 0;
        const char* last = text->data() + text->size();
        const auto [end, error] = std::from_chars(text->data(), last, tag);
        if (error == std::errc{} && end == last) return tag;
        return std::nullopt;
    }
    return std::nullopt;
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit(hex[i]), low = digit(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

}  // namespace

std::optional<std::string_view> ReplyRow::get(std::string_view name) const {
    for (const auto word : words_) {
        if (word.size() < name.size() + 2 || word.front() != '=') continue;
        if (word.substr(1, name.size()) == name && word[name.size() + 1] == '=') {
            return word.substr(name.size() + 2);
        }
    }
    return std::nullopt;
}

Properties ReplyRow::all() const {
    Properties values;
    for (const auto word : words_) {
        const auto equals = word.find('=', 1);
        if (word.empty() || word.front() != '=' || equals == word.npos) continue;
        values.emplace(word.substr(1, equals - 1), word.substr(equals + 1));
    }
    return values;
}

bool ReplyRow::is_true(std::string_view name) const {
    const auto value = get(name);
    return value && (*value == "true" || *value == "yes");
}

std::string challenge_response(std::string_view password, std::string_view challenge) {
    std::string text(1, '\0');
    text.append(password).append(challenge);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr) != 1) return {};
    std::string out{"00"};
    for (unsigned i = 0; i < size; ++i) {
        out += "0123456789abcdef"[digest[i] >> 4];
        out += "0123456789abcdef"[digest[i] & 15];
    }
    return out;
}

Session::Session(SessionHandler& handler, WireLimits limits, Trace* trace)
    : handler_(handler), trace_(trace), decoder_(limits) {}

Tag Session::queue(const Command& command, Kind kind, Reply reply) {
    const Tag tag = next_tag_++;
    output_ += command.words();
    append_word(output_, ".tag=" + std::to_string(tag));
    append_end(output_);
    waiting_.emplace(tag, Waiting{.kind = kind, .is_limited = reply == Reply::ends});
    if (trace_ != nullptr) trace_->sent(tag, command.words());
    return tag;
}

void Session::login(std::string_view name, std::string_view password) {
    name_ = name;
    password_ = password;
    Command command{forms::login};
    command.attribute("name", name).attribute("password", password);
    queue(command, Kind::plain_login);
}

Tag Session::send(const Command& command, Reply reply) {
    return queue(command, Kind::command, reply);
}

std::string Session::take_output() {
    return std::exchange(output_, {});
}

void Session::reset() {
    decoder_.reset();
    output_.clear();
    waiting_.clear();
    name_.clear();
    password_.clear();
    broken_ = flooded_ = false;
}

void Session::break_off(std::string_view reason) {
    broken_ = true;
    waiting_.clear();
    handler_.on_broken(safe_text(reason));
}

void Session::refuse_more(std::string_view why) {
    if (broken_) return;
    flooded_ = true;
    break_off(why);
}

void Session::note_unknown(std::span<const std::string_view> words) {
    ++unknown_;
    std::string text;
    for (const auto word : words) {
        text.append(text.empty() ? "" : " ").append(word.substr(0, kRemoteTextBytes));
        if (text.size() > kRemoteTextBytes) break;
    }
    last_unknown_ = safe_text(text);
}

bool Session::is_within_limits(Waiting& waiting, std::span<const std::string_view> words) {
    if (!waiting.is_limited) return true;
    ++waiting.rows;
    for (const auto word : words)
        waiting.bytes += word.size();
    return waiting.rows <= reply_limits_.rows && waiting.bytes <= reply_limits_.bytes;
}

void Session::feed(std::string_view bytes) {
    if (broken_) return;
    decoder_.feed(bytes);
    std::vector<std::string_view> words;
    while (!broken_) {
        switch (decoder_.next(words)) {
            case Decoder::Status::more:
                return;
            case Decoder::Status::broken:
                return break_off(decoder_.error());
            case Decoder::Status::sentence:
                handle(words);
        }
    }
}

void Session::handle(std::span<const std::string_view> words) {
    const auto kind = words.front();
    if (kind == "!fatal") {
        return break_off(words.size() > 1 ? words[1] : "the router ended the session");
    }
    const auto tag = tag_of(words);
    const auto found = tag ? waiting_.find(*tag) : waiting_.end();
    if (found == waiting_.end()) return note_unknown(words);
    if (!is_within_limits(found->second, words)) {
        return refuse_more("one of its replies has more than " +
                           std::to_string(reply_limits_.rows) + " rows or " +
                           std::to_string(reply_limits_.bytes >> 20U) + " MiB");
    }
    if (trace_ != nullptr) trace_->received(*tag, words);
    const ReplyRow row{words.subspan(1)};
    if (kind == "!re") {
        if (trace_ != nullptr) trace_->row(*tag);
        if (found->second.kind == Kind::command) handler_.on_row(*tag, row);
    } else if (kind == "!trap") {
        auto& ending = found->second.ending;
        if (!ending.ok) return;  // the first one has the reason
        ending.ok = false;
        ending.message = safe_text(row.get("message").value_or("no reason given"));
        const auto category = row.get("category").value_or("");
        std::from_chars(category.data(), category.data() + category.size(), ending.category);
    } else if (kind == "!done") {
        finish(*tag, words.subspan(1));
    } else if (kind != "!empty") {
        note_unknown(words);
    }
}

void Session::finish(Tag tag, std::span<const std::string_view> words) {
    const auto found = waiting_.find(tag);
    Waiting done = std::move(found->second);
    waiting_.erase(found);
    done.ending.ret = ReplyRow{words}.get("ret").value_or("");
    if (trace_ != nullptr) trace_->ended(tag, done.ending);
    if (done.kind == Kind::command) return handler_.on_end(tag, done.ending);
    if (done.kind == Kind::plain_login && done.ending.ok && !done.ending.ret.empty()) {
        return answer_challenge(done.ending.ret);
    }
    name_.clear();
    password_.clear();
    handler_.on_login(done.ending);
}

void Session::answer_challenge(std::string_view hex) {
    const auto challenge = from_hex(hex);
    if (!challenge) return break_off("a login challenge that is not hexadecimal");
    Command command{forms::login};
    command.attribute("name", name_);
    command.attribute("response", challenge_response(password_, *challenge));
    queue(command, Kind::challenge_login);
}

}  // namespace steer::routeros
