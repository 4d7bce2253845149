"""From raw posts to a labelled data set: import, language models, blind rating, agreement, adjudication, export."""
