#include "control/operator/init/dialogue.h"

#include <utility>

#include "matchers/text.h"

namespace steer::init {
namespace {

std::string name_of(const Question& question) {
    return question.option.empty() ? std::string(kPasswordFile) : std::string(question.option);
}

// What the operator may want to know of this machine before answering.
void show_host(const Question& question, const Host& host, std::ostream& out) {
    if (question.option == "--interface") {
        for (const Interface& one : host.interfaces) {
            out << "     " << one.name << ":";
            for (const IpAddress& address : one.addresses)
                out << " " << address.to_string();
            if (one.addresses.empty()) out << " no address";
            out << (one.name == host.default_interface ? " (default route)\n" : "\n");
        }
    }
    if (question.option == "--upstream" && !host.servers.empty()) {
        out << "     host:";
        for (const std::string& server : host.servers)
            out << " " << server;
        out << "\n";
    }
}

void show(const Question& question, const Host& host, std::ostream& out) {
    if (!question.asks.empty())
        out << "\n" << question.number << "/" << kQuestions << "  " << question.asks << "\n";
    show_host(question, host, out);
    out << "     " << question.label << ": " << question.expects << "\n";
}

Result<void> ask_one(const Question& question, const Host& host, Dialogue& dialogue,
                     Answers& answers) {
    const std::string proposal = question.proposes ? question.proposes(answers, host) : "";
    show(question, host, dialogue.out);
    while (true) {
        const std::string offer = question.secret ? "a new one" : proposal;
        const std::string brackets = offer.empty() ? "" : " [" + offer + "]";
        const auto line =
            dialogue.read("     " + std::string(question.label) + brackets + ": ", question.secret);
        if (!line) {
            dialogue.out << "\n";
            return Error{"the input ended at question " + std::string(question.number) + " (" +
                         std::string(question.label) + "): answer it by " + name_of(question) +
                         ", or take the defaults by --yes"};
        }
        const std::string typed = question.secret ? *line : std::string(matchers::trimmed(*line));
        const std::string answer = typed.empty() ? proposal : typed;
        if (answer.empty() && !question.secret) {
            dialogue.out << "     There is no default: write an answer.\n";
            continue;
        }
        const auto good = question.take(answer, host, answers);
        if (good) return {};
        dialogue.out << "     That cannot be taken: " << good.error().text << "\n";
    }
}

Result<void> take_default(const Question& question, const Host& host, Answers& answers) {
    const std::string proposal = question.proposes ? question.proposes(answers, host) : "";
    if (proposal.empty() && !question.secret) {
        return Error{name_of(question) + " is missing, and has no default here: write " +
                     std::string(question.expects)};
    }
    return question.take(proposal, host, answers);
}

Result<void> take_given(const Question& question, const std::string& text, const Host& host,
                        Answers& answers) {
    auto good = question.take(std::string(matchers::trimmed(text)), host, answers);
    if (good) return {};
    return Error{name_of(question) + " cannot be taken: " + good.error().text};
}

}  // namespace

Result<Answers> ask(const Host& host, const std::map<std::string, std::string, std::less<>>& given,
                    bool defaults, Dialogue& dialogue) {
    Answers answers;
    if (const auto file = given.find(kPasswordFile); file != given.end())
        answers.password_file = file->second;
    for (const Question& question : questions()) {
        const bool applies = question.applies == nullptr || question.applies(answers);
        const auto option = given.find(question.option);
        const bool is_given = !question.option.empty() && option != given.end();
        if (!applies) {
            if (is_given) return Error{name_of(question) + " needs --router"};
            continue;
        }
        if (question.secret && !answers.password_file.empty()) continue;
        const auto good = is_given   ? take_given(question, option->second, host, answers)
                          : defaults ? take_default(question, host, answers)
                                     : ask_one(question, host, dialogue, answers);
        if (!good) return good.error();
    }
    return Result<Answers>(boost::system::in_place_value, std::move(answers));
}

}  // namespace steer::init
