#include "control/sinks/set_process/ipset_writer.h"

extern "C" {
#include <libipset/ipset.h>
#include <libipset/session.h>
#include <libipset/types.h>
}

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <string_view>

namespace steer::sets {
namespace {

void append(std::string& to, const char* format, va_list values) {
    std::array<char, IPSET_OUTBUFLEN> text{};
    const int length = std::vsnprintf(text.data(), text.size(), format, values);
    if (length > 0)
        to.append(text.data(), std::min(static_cast<std::size_t>(length), text.size() - 1));
}

int on_output(struct ipset_session* /*session*/, void* messages, const char* format, ...) {
    va_list values;
    va_start(values, format);
    append(static_cast<IpsetWriter::Messages*>(messages)->output, format, values);
    va_end(values);
    return 0;
}

// Of the command's words.
int on_complaint(ipset* set, void* messages, int /*status*/, const char* format, ...) {
    va_list values;
    va_start(values, format);
    append(static_cast<IpsetWriter::Messages*>(messages)->complaint, format, values);
    va_end(values);
    ipset_session_report_reset(ipset_session(set));
    return -1;
}

// Of the kernel.
int on_error(ipset* set, void* messages) {
    struct ipset_session* const session = ipset_session(set);
    const bool warns = ipset_session_report_type(session) == IPSET_WARNING;
    static_cast<IpsetWriter::Messages*>(messages)->complaint += ipset_session_report_msg(session);
    ipset_session_report_reset(session);
    return warns ? 0 : -1;
}

// The first line, without what is around its sentence.
std::string sentence_of(std::string text) {
    text.resize(std::min(text.size(), text.find('\n')));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '.'))
        text.pop_back();
    // "Error in line 3: Hash is full, ..."
    constexpr std::string_view kLine = "Error in line ";
    if (text.starts_with(kLine)) {
        if (const auto colon = text.find(": "); colon != std::string::npos)
            text.erase(0, colon + 2);
    }
    return text;
}

// The value of "Type: hash:net".
std::string_view value_of(std::string_view text, std::string_view key) {
    const auto at = text.find(key);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + key.size());
    return text.substr(0, text.find('\n'));
}

bool has_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const bool begins = at == 0 || text[at - 1] == ' ';
        const std::size_t end = at + word.size();
        if (begins && (end == text.size() || text[end] == ' ')) return true;
    }
    return false;
}

std::string text_of(const matchers::Prefix& prefix) {
    std::string text = prefix.address.to_string();
    const unsigned length = prefix.address.is_v4() ? prefix.length - 96U : prefix.length;
    if (prefix.length < 128) text.append("/").append(std::to_string(length));
    return text;
}

}  // namespace

IpsetWriter::IpsetWriter() {
    ipset_load_types();
    open();
}

IpsetWriter::~IpsetWriter() {
    close();
}

void IpsetWriter::open() {
    ipset_ = ipset_init();
    if (ipset_ == nullptr) throw std::bad_alloc();
    ipset_custom_printf(ipset_, on_complaint, on_error, on_output, &messages_);
}

void IpsetWriter::close() {
    ipset_fini(ipset_);
    ipset_ = nullptr;
}

// A failed session is left in an intermediate state, so a new one is opened.
bool IpsetWriter::done(int result) {
    messages_.complaint = sentence_of(std::move(messages_.complaint));
    if (result == 0) return true;
    close();
    open();
    return false;
}

Result<SetAbility> IpsetWriter::read(const SetName& set) {
    messages_ = {};
    std::string line = "list -terse " + set.name;
    if (!done(ipset_parse_line(ipset_, line.data()))) return Error{messages_.complaint};
    const std::string_view type = value_of(messages_.output, "Type: ");
    const std::string_view header = value_of(messages_.output, "Header: ");
    constexpr std::array<std::string_view, 3> kTypes{"hash:net", "hash:ip", "bitmap:ip"};
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
        return Error{"its type is " + std::string(type) +
                     ", expected hash:net, hash:ip or bitmap:ip"};
    }
    const bool is_v6 = has_word(header, "family inet6");
    if (is_v6 != set.v6)
        return Error{std::string("its family is ") + (is_v6 ? "inet6" : "inet") + ", expected " +
                     (set.v6 ? "inet6" : "inet")};
    const bool timeouts = has_word(header, "timeout");
    return SetAbility{.timeouts = timeouts, .prefixes = type == "hash:net", .evicts = timeouts};
}

Result<void> IpsetWriter::run(std::string lines) {
    messages_ = {};
    std::FILE* const file = ::fmemopen(lines.data(), lines.size(), "r");
    if (file == nullptr) throw std::bad_alloc();
    // Lines that are refused are not always reported by what it returns.
    const int result = ipset_parse_stream(ipset_, file);
    const bool is_done = done(result != 0 || !messages_.complaint.empty() ? -1 : 0);
    std::fclose(file);
    if (!is_done) return Error{messages_.complaint};
    return {};
}

Result<void> IpsetWriter::add(const SetName& set, std::span<const SetElement> elements) {
    std::string lines;
    for (const SetElement& element : elements) {
        lines.append("add ").append(set.name).append(" ").append(text_of(element.prefix));
        if (element.timeout_s != 0)
            lines.append(" timeout ").append(std::to_string(element.timeout_s));
        lines.append(" -exist\n");
    }
    return run(std::move(lines));
}

Result<void> IpsetWriter::remove(const SetName& set, std::span<const matchers::Prefix> elements) {
    std::string lines;
    for (const matchers::Prefix& element : elements)
        lines.append("del ")
            .append(set.name)
            .append(" ")
            .append(text_of(element))
            .append(" -exist\n");
    return run(std::move(lines));
}

Result<bool> IpsetWriter::has(const SetName& set, const matchers::Prefix& prefix) {
    messages_ = {};
    std::string line = "test " + set.name + " " + text_of(prefix);
    if (done(ipset_parse_line(ipset_, line.data())) &&
        messages_.complaint.find(" is in set ") != std::string::npos)
        return true;
    if (messages_.complaint.find("NOT in set") != std::string::npos) return false;
    return Error{messages_.complaint};
}

}  // namespace steer::sets
