#include "matchers/list/block_list.h"

#include <optional>
#include <string>
#include <utility>

#include "matchers/list/hosts_list.h"
#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

class BlockReader {
  public:
    BlockReader(std::string_view file, TypeNumber type_number, bool is_adguard)
        : out_{{{}, BadLines(file)}}, type_number_(type_number), is_adguard_(is_adguard) {}

    void read(std::string_view bytes) {
        if (auto error = not_utf8(bytes)) return out_.list.bad.add(*std::move(error), 1);
        Lines lines(bytes);
        while (const auto line = lines.next()) {
            const std::string_view text = line->text;
            number_ = line->number;
            if (text.empty() || text.starts_with('#') || text.starts_with('!')) continue;
            read_line(text);
        }
    }
    NameList take() && { return std::move(out_); }

  private:
    void read_line(std::string_view text) {
        std::string_view rest = without_comment(text);
        const std::string_view word = take_word(rest);
        if (!rest.empty() && IpAddress::parse(word)) return hosts_line(word, rest);
        if (rest.empty() && is_left_out_of_hosts(word)) {
            ++out_.left_out;
        } else if (is_adguard_ || is_adguard_line(text) || text.starts_with('/')) {
            adguard_line(text);
        } else if (!rest.empty()) {
            bad({quoted(word) + " at the start of a line: expected 0.0.0.0, 127.0.0.1, :: or ::1 "
                                "and then names"});
        } else {
            name(word);
        }
    }

    void hosts_line(std::string_view address, std::string_view names) {
        if (!leads_nowhere(address))
            return out_.list.bad.add_of_form(
                {quoted(address) +
                 " at the start of a line: expected 0.0.0.0, 127.0.0.1, :: or ::1 and then names"},
                number_);
        for (auto word = take_word(names); !word.empty(); word = take_word(names)) {
            if (is_left_out_of_hosts(word)) {
                ++out_.left_out;
            } else if (auto name = parse_name(word)) {
                add(*std::move(name));
            } else {
                out_.list.bad.add_of_form(std::move(name).error(), number_);
            }
        }
    }

    void name(std::string_view word) {
        auto name = parse_name(word);
        if (name) {
            add(*std::move(name));
        } else {
            bad(std::move(name).error());
        }
    }
    void add(std::string name) {
        out_.list.rules.push_back({{RuleKind::full, std::move(name)}, number_});
    }

    void adguard_line(std::string_view text) {
        std::optional<std::string> foreign;
        auto read = read_adguard_rule(text, type_number_, foreign);
        if (!read) {
            if (foreign) return out_.list.bad.leave_out(*foreign, number_);
            return bad(std::move(read).error());
        }
        if (!*read) {
            if (!text.starts_with('[')) ++out_.left_out;
            return;
        }
        AdguardRule& rule = **read;
        if (!is_adguard_ && rule.exception)
            return bad({"an exception of AdGuard, " + quoted(text) +
                        ", in a list of another form: write 'format: adguard', or name it in "
                        "'allow'"});
        rule.line = number_;
        out_.add(std::move(rule));
    }

    void bad(Error error) { out_.list.bad.add(std::move(error), number_); }

    NameList out_;
    TypeNumber type_number_;
    bool is_adguard_;
    int number_ = 0;
};

}  // namespace

NameList read_block_list(std::string_view bytes, std::string_view file, TypeNumber type_number,
                         bool is_adguard) {
    BlockReader reader(file, type_number, is_adguard);
    reader.read(bytes);
    return std::move(reader).take();
}

}  // namespace steer::matchers
