#include "routeros/findings.h"

namespace steer::routeros {
namespace {

constexpr std::array<std::string_view, kQuestions> kQuestionLabels{
#define STEER_PROBE_QUESTION_LABEL(name, label, text) label,
    STEER_PROBE_QUESTIONS(STEER_PROBE_QUESTION_LABEL)
#undef STEER_PROBE_QUESTION_LABEL
};
constexpr std::array<std::string_view, kQuestions> kQuestionTexts{
#define STEER_PROBE_QUESTION_TEXT(name, label, text) text,
    STEER_PROBE_QUESTIONS(STEER_PROBE_QUESTION_TEXT)
#undef STEER_PROBE_QUESTION_TEXT
};
constexpr std::array<std::string_view, kAnswers> kAnswerLabels{
#define STEER_PROBE_ANSWER_LABEL(name, label) label,
    STEER_PROBE_ANSWERS(STEER_PROBE_ANSWER_LABEL)
#undef STEER_PROBE_ANSWER_LABEL
};

}  // namespace

std::string_view label(Question question) {
    return kQuestionLabels[static_cast<std::size_t>(question)];
}

std::string_view text_of(Question question) {
    return kQuestionTexts[static_cast<std::size_t>(question)];
}

std::string_view label(Answer answer) {
    return kAnswerLabels[static_cast<std::size_t>(answer)];
}

}  // namespace steer::routeros
